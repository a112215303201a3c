import type {
  AlignmentReason,
  FusedDocumentCard,
  FusionDomain,
  FusionMember,
} from "../../contract/index.ts";
import type { AlignedSource, FusedRecord } from "../dataset/records.ts";

/** Sums over one document for one model, which add up over documents. */
interface MemberSums {
  wins: number;
  nats: number;
  tokens: number;
  covered: number;
  /** Bytes of its tokens' text; 0 where an imported dataset has no tokens. */
  bytes: number;
  readonly reasons: Partial<Record<AlignmentReason, number>>;
}

/**
 * Summary of a fused document for lists and totals, stored beside it so that neither reads the
 * record. Plain data.
 */
export interface DocumentSummary {
  /** As in `FusedRecord`. */
  readonly number: number;
  readonly dataset: string;
  readonly domain: string | null;
  readonly excerpt: string;
  readonly tokens: number;
  readonly rows: number;
  /** Bytes of the supervised tokens' text. */
  readonly bytes: number;
  /** Bytes of the record. */
  readonly byteLength: number;
  /** Sums of the members, the pivot first. */
  readonly members: readonly MemberSums[];
}

const EXCERPT_UNITS = 120;

/** Text of a document: its pieces joined. */
export function textOf({ document }: Pick<FusedRecord, "document">): string {
  return document.pieces.map(({ text }) => text).join("");
}

/** Member with the largest weight in each row, the first on ties. */
export function winnersOf({ weights, sources }: FusedRecord): number[] {
  const members = 1 + sources.length;
  return Array.from({ length: weights.length / members }, (_, row) => {
    const own = weights.subarray(row * members, (row + 1) * members);
    return own.reduce((best, weight, member) => (weight > own[best]! ? member : best), 0);
  });
}

/** Number of pivot rows for which a source has a row of its own; fallbacks do not count. */
function coveredRows(source: AlignedSource, positions: Uint32Array): number {
  return positions.reduce(
    (sum, position, row) => sum + (isCovered(source, row, position) ? 1 : 0),
    0,
  );
}

/**
 * Whether a source has a row of its own here. An imported dataset does not say which rows are
 * fallbacks.
 */
export function isCovered(source: AlignedSource, row: number, position: number): boolean {
  const { offsets } = source.rows;
  const told = source.from[row] !== -1 || source.reasons[position] === null;
  return told && offsets[row + 1]! > offsets[row]!;
}

export function summarize(record: FusedRecord, byteLength: number): DocumentSummary {
  const { number, document, pivot, sources, supervisedBytes } = record;
  const rows = pivot.positions.length;
  const pivotSums: MemberSums = {
    wins: 0,
    tokens: rows,
    covered: rows,
    bytes: supervisedBytes,
    reasons: {},
    nats: pivot.goldNats.reduce((sum, nats) => sum + nats, 0),
  };
  const sourceSums = sources.map((source): MemberSums => {
    const reasons: Partial<Record<AlignmentReason, number>> = {};
    for (const position of pivot.positions) {
      const reason = source.reasons[position];
      if (reason) reasons[reason] = (reasons[reason] ?? 0) + 1;
    }
    const told = source.scored.tokens > 0 && source.tokens.ids.length > 0;
    return {
      wins: 0,
      ...source.scored,
      reasons,
      covered: coveredRows(source, pivot.positions),
      bytes: told ? supervisedBytes : 0,
    };
  });
  const members = [pivotSums, ...sourceSums];
  for (const winner of winnersOf(record)) members[winner]!.wins += 1;
  const text = textOf(record)
    .slice(0, 2 * EXCERPT_UNITS)
    .replace(/\s+/gu, " ")
    .trim();
  return {
    number,
    dataset: document.dataset,
    domain: document.domain,
    byteLength,
    rows,
    members,
    excerpt: text.slice(0, EXCERPT_UNITS).toWellFormed(),
    tokens: pivot.tokens.ids.length,
    bytes: supervisedBytes,
  };
}

export function documentCard(index: number, summary: DocumentSummary): FusedDocumentCard {
  const { dataset, domain, excerpt, tokens, rows, members } = summary;
  return {
    index,
    dataset,
    domain,
    excerpt,
    tokens,
    rows,
    covered: members.slice(1).map(({ covered }) => covered),
    natsPerByte: members.map(({ nats, bytes }) => (bytes > 0 ? nats / bytes : null)),
    winner: members.reduce((best, { wins }, i) => (wins > members[best]!.wins ? i : best), 0),
  };
}

/** Sums over documents, in total and by domain. */
export class FusionTotals {
  readonly #names: readonly string[];
  readonly #domains = new Map<string | null, Totals>();

  constructor(memberNames: readonly string[]) {
    this.#names = memberNames;
  }

  add({ domain, rows, bytes, byteLength, members }: DocumentSummary): void {
    const totals = this.#domains.get(domain) ?? emptyTotals(this.#names.length);
    this.#domains.set(domain, totals);
    addTotals(totals, { documents: 1, rows, bytes, byteLength, members });
  }

  /** Totals by domain, in the order of the domains' names. */
  domains(): readonly FusionDomain[] {
    const order = [...this.#domains].sort(([a], [b]) =>
      a === null ? 1 : b === null ? -1 : a < b ? -1 : 1,
    );
    return order.map(([domain, { documents, rows, bytes, members }]) => ({
      domain,
      documents,
      rows,
      bytes,
      members: this.#members(members),
    }));
  }

  whole() {
    const all = emptyTotals(this.#names.length);
    for (const totals of this.#domains.values()) addTotals(all, totals);
    return { ...all, members: this.#members(all.members) };
  }

  #members(sums: readonly MemberSums[]): readonly FusionMember[] {
    return sums.map(({ wins, nats, tokens, covered, bytes, reasons }, i) => ({
      model: this.#names[i] as string,
      wins,
      nats,
      tokens,
      covered,
      reasons,
      natsPerToken: tokens > 0 ? nats / tokens : null,
      bitsPerByte: bytes > 0 ? nats / bytes / Math.LN2 : null,
    }));
  }
}

interface Totals {
  documents: number;
  rows: number;
  bytes: number;
  byteLength: number;
  readonly members: readonly MemberSums[];
}

const emptyTotals = (members: number): Totals => ({
  documents: 0,
  rows: 0,
  bytes: 0,
  byteLength: 0,
  members: Array.from({ length: members }, () => ({
    wins: 0,
    nats: 0,
    tokens: 0,
    covered: 0,
    bytes: 0,
    reasons: {},
  })),
});

function addTotals(to: Totals, part: Totals): void {
  to.documents += part.documents;
  to.rows += part.rows;
  to.bytes += part.bytes;
  to.byteLength += part.byteLength;
  for (const [i, member] of to.members.entries()) {
    const added = part.members[i]!;
    member.wins += added.wins;
    member.nats += added.nats;
    member.tokens += added.tokens;
    member.covered += added.covered;
    member.bytes += added.bytes;
    for (const [reason, count] of Object.entries(added.reasons)) {
      const name = reason as AlignmentReason;
      member.reasons[name] = (member.reasons[name] ?? 0) + count;
    }
  }
}
