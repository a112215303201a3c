import { ALIGNMENT_REASONS } from "../../contract/index.ts";
import { f16ToF32Bits, f32BitsToF16 } from "../../core/tensor/convert.ts";
import type { SparseRows, TokenisedText } from "../align/types.ts";
import type { AlignedSource, FusedRecord, FusionDocument, Representation } from "./records.ts";

/** mulberry32, with which the files of goldens/fused were drawn; other tests take core/random.ts. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a made record is like. */
export interface RecordShape {
  readonly seed: number;
  readonly tokens?: number;
  readonly k?: number;
  readonly vocabSize?: number;
  readonly sources?: readonly string[];
  readonly domain?: string | null;
  readonly text?: string;
}

/** A value as f16 keeps it. */
function half(value: number): number {
  const float = new Float32Array([value]);
  const bits = new Uint32Array(float.buffer);
  bits[0] = f16ToF32Bits(f32BitsToF16(bits[0]!));
  return float[0]!;
}

const whole = (random: () => number, below: number) => Math.floor(random() * below);

/** Tokens of about equal length over a text of so many bytes. */
function makeTokens(
  random: () => number,
  { count, bytes, vocabSize }: { count: number; bytes: number; vocabSize: number },
): TokenisedText {
  return {
    ids: Uint32Array.from({ length: count }, () => whole(random, vocabSize)),
    ends: Uint32Array.from({ length: count }, (_, i) => Math.round(((i + 1) * bytes) / count)),
  };
}

/** Distinct ids by falling logit, the lower id first where two are equal, as models' rows are kept. */
function makeRow(random: () => number, k: number, vocabSize: number) {
  const ids = new Set<number>();
  while (ids.size < Math.min(k, vocabSize)) ids.add(whole(random, vocabSize));
  let logit = half(8 + 8 * random());
  const entries = [...ids].map((id): readonly [id: number, logit: number] => {
    logit = half(logit - 2 * random());
    return [id, logit];
  });
  entries.sort(([a, x], [b, y]) => y - x || a - b);
  return { ids: entries.map(([id]) => id), logits: entries.map(([, value]) => value) };
}

function makeRepresentation(
  random: () => number,
  tokens: TokenisedText,
  { k, vocabSize }: { readonly k: number; readonly vocabSize: number },
): Representation {
  const count = tokens.ids.length;
  const positions = Array.from({ length: count - 1 }, (_, i) => i).filter(() => random() < 0.7);
  const rows = positions.map(() => makeRow(random, k, vocabSize));
  const logits = Float32Array.from(rows.flatMap((row) => row.logits));
  return {
    tokens,
    positions: Uint32Array.from(positions),
    k,
    ids: Uint32Array.from(rows.flatMap((row) => row.ids)),
    logits,
    // Above the sum of the kept entries, as it is over the whole vocabulary.
    logSums: Float32Array.from(rows, (row) => {
      const kept = row.logits.reduce((sum, logit) => sum + Math.exp(logit - row.logits[0]!), 0);
      return row.logits[0]! + Math.log(kept) + random();
    }),
    goldNats: Float32Array.from(rows, () => 4 * random()),
  };
}

/** Sparse rows from lists. */
function sparseRows(
  rows: readonly { readonly ids: readonly number[]; readonly values: readonly number[] }[],
): SparseRows {
  const offsets = new Uint32Array(rows.length + 1);
  for (const [i, row] of rows.entries()) offsets[i + 1] = offsets[i]! + row.ids.length;
  return {
    offsets,
    ids: Uint32Array.from(rows.flatMap((row) => row.ids)),
    values: Float32Array.from(rows.flatMap((row) => row.values)),
  };
}

function makeSource(
  random: () => number,
  model: string,
  pivot: Representation,
  { k, vocabSize, bytes }: { k: number; vocabSize: number; bytes: number },
): AlignedSource {
  const pivotTokens = pivot.tokens.ids.length;
  const tokens = makeTokens(random, { count: pivotTokens + 3, bytes, vocabSize: 100_000 });
  const count = tokens.ids.length;
  const offsets = new Uint32Array(pivotTokens + 1);
  const grouped: number[] = [];
  for (let i = 0; i < pivotTokens; i++) {
    for (let n = whole(random, 3); n > 0; n--) grouped.push(whole(random, count));
    offsets[i + 1] = grouped.length;
  }
  const from = Int32Array.from(pivot.positions, (position) => (random() < 0.6 ? position : -1));
  const rows = [...from].map((at) => {
    if (at < 0) return { ids: [], values: [] };
    const { ids, logits } = makeRow(random, k, vocabSize);
    return { ids, values: logits };
  });
  const evidence = [...from].map((at) => at >= 0);
  return {
    model,
    tokens,
    from,
    groups: { offsets, positions: Uint32Array.from(grouped) },
    reasons: Array.from({ length: pivotTokens }, () => {
      return ALIGNMENT_REASONS[whole(random, ALIGNMENT_REASONS.length)] as "equal";
    }),
    rows: sparseRows(rows),
    logSums: Float32Array.from(rows, ({ values }, i) =>
      evidence[i] ? (values[0] as number) + 3 : Number.NaN,
    ),
    goldNats: Float32Array.from(evidence, (has) => (has ? 4 * random() : Number.NaN)),
    scored: { tokens: pivot.positions.length + 2, nats: 2 * pivot.positions.length * random() + 1 },
  };
}

/** A document with a pivot and sources, everything but the fusion itself: the pivot decides all. */
export function makeRecord(shape: RecordShape): FusedRecord {
  const { seed, tokens = 12, k = 4, vocabSize = 50, sources = ["one", "two"] } = shape;
  const random = seededRandom(seed);
  const text = shape.text ?? "A cat sat on the mat and it was glad.";
  const bytes = new TextEncoder().encode(text).byteLength;
  const document: FusionDocument = {
    dataset: "tales.jsonl",
    at: seed + 1,
    part: 0,
    domain: shape.domain ?? null,
    pieces: [
      { kind: "text", text, supervised: true },
      { kind: "end", text: "", supervised: true },
    ],
  };
  const pivot = makeRepresentation(
    random,
    makeTokens(random, { count: tokens, bytes, vocabSize }),
    { k, vocabSize },
  );
  const rows = pivot.positions.length;
  const aligned = sources.map((model) => makeSource(random, model, pivot, { k, vocabSize, bytes }));
  return {
    number: seed,
    document,
    supervisedBytes: bytes,
    pivot,
    sources: aligned,
    weights: Float32Array.from({ length: rows * (1 + sources.length) }, (_, i) =>
      i % (1 + sources.length) === 0 ? 1 : 0,
    ),
    fused: {
      offsets: Uint32Array.from({ length: rows + 1 }, (_, row) => row * k),
      ids: pivot.ids.slice(),
      values: pivot.logits.map((_, i) => (i % k === 0 ? 1 : 0)),
    },
    tail: new Float32Array(rows),
  };
}
