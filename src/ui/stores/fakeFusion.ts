import {
  type AlignmentReason,
  type Distribution,
  FUSION_DEFAULTS,
  type FusedDocument,
  type FusedRow,
  type FusionCard,
  type FusionMember,
} from "../../engine/contract/index.ts";

/** A member of a fusion, for tests. */
export function fakeMember(model: string, changes: Partial<FusionMember> = {}): FusionMember {
  return {
    model,
    wins: 38,
    nats: 120,
    tokens: 100,
    natsPerToken: 1.2,
    bitsPerByte: 2.31,
    covered: 100,
    reasons: {},
    ...changes,
  };
}

/** A fused dataset of 100 rows, for tests. */
export function fakeFusion(id: string, changes: Partial<FusionCard> = {}): FusionCard {
  const source = { wins: 62, covered: 97, bitsPerByte: 1.98, reasons: { "same end": 97 } };
  return {
    id,
    name: id,
    state: "complete",
    origin: "fuse",
    createdAt: 1,
    byteLength: 9000,
    pivot: "id-ember",
    vocabSize: 1024,
    settings: FUSION_DEFAULTS.studio,
    documents: 3,
    rows: 100,
    bytes: 400,
    domains: [],
    dropped: [],
    members: [fakeMember("ember"), fakeMember("flint", source)],
    ...changes,
  };
}

function tokenise(texts: readonly string[]) {
  let end = 0;
  return texts.map((text, id) => {
    const start = end;
    end += text.length;
    return { id, text, start, end };
  });
}

const PIVOT = [" The", " k", "ing", "'s", " for", "est", "."];
const SOURCE = [" The", " king", "'", "s", " forest", "."];
type FakeLink = readonly [readonly number[], number | null, AlignmentReason | null, number | null];
const LINKS: readonly FakeLink[] = [
  [[0], 0, "same end", 0],
  [[1], null, "no match", null],
  [[1], 1, "same end", 1],
  [[2, 3], 2, "joined", 3],
  [[4], null, "no match", null],
  [[4], 4, "same end", 4],
  [[5], null, null, 5],
];

/** A document of seven tokens beside six, six of them with a row, for tests. */
export function fakeDocument(index: number): FusedDocument {
  const links = LINKS.map(([group, from, reason, sameEnd]) => ({ group, from, reason, sameEnd }));
  return {
    index,
    dataset: "tales.jsonl",
    domain: "tales",
    excerpt: "The king's forest.",
    tokens: PIVOT.length,
    rows: 6,
    covered: [4],
    natsPerByte: [1.6, 1.4],
    winner: 1,
    text: PIVOT.join(""),
    pivotTokens: tokenise(PIVOT),
    rowOf: [0, 1, 2, 3, 4, 5, null],
    sources: [{ model: "flint", tokens: tokenise(SOURCE), links }],
    winners: [1, 0, 1, 1, 0, 1],
  };
}

/** A distribution over the pivot's tokens, for tests. */
function fakeDistribution(...probabilities: readonly number[]): Distribution {
  const entries = probabilities.map((probability, at) => ({
    id: at + 2,
    text: PIVOT[at + 2] ?? "",
    probability,
  }));
  const tail = 1 - probabilities.reduce((sum, one) => sum + one, 0);
  return { entries, tail, nats: -Math.log(probabilities[0] ?? 1) };
}

/** A row that the source decides, for tests. */
export function fakeRow(document: number, row: number): FusedRow {
  return {
    document,
    row,
    position: row,
    winner: 1,
    gold: { id: 2, text: "ing" },
    members: [
      {
        model: "ember",
        reason: null,
        own: null,
        aligned: fakeDistribution(0.2, 0.3),
        weight: 0,
        metric: 1.6,
      },
      {
        model: "flint",
        reason: "same end",
        own: fakeDistribution(0.5, 0.1),
        aligned: fakeDistribution(0.5, 0.1),
        weight: 1,
        metric: 1.4,
      },
    ],
    fused: fakeDistribution(0.5, 0.1),
  };
}
