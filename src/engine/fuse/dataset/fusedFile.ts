import * as v from "valibot";
import {
  ALIGNMENT_REASONS,
  EngineError,
  FUSION_PROFILES,
  type FusionCard,
  type FusionSettings,
} from "../../contract/index.ts";
import { FUSION_CHOICES } from "../profiles.ts";
import { decodeFused, encodeFused } from "./codec.ts";
import { frameRecord, RECORD_FILE_MAGIC, type RecordFile, readRecordFile } from "./recordFile.ts";
import type { FusedRecord } from "./records.ts";

/*
 * A fused dataset as one file, docs/fused-dataset.md: a record file whose first record is a header in
 * JSON and whose others are the documents.
 */

/** The file's ending. */
export const FUSED_ENDING = ".fused";
const FORMAT = "fusestudio fused dataset";
const VERSION = 1;

/** What is told of a dataset before its documents. */
export interface FusedHeader {
  readonly name: string;
  readonly vocabSize: number;
  readonly settings: FusionSettings;
  /** Names of the models, the pivot first. */
  readonly members: readonly string[];
  readonly documents: number;
  readonly dropped: FusionCard["dropped"];
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.pipe(v.string(), v.maxLength(1000));
const settingsSchema = v.object({
  profile: v.picklist(FUSION_PROFILES),
  topK: count,
  maxTokens: count,
  rows: count,
  vocabulary: v.picklist(FUSION_CHOICES.vocabulary),
  matrix: v.boolean(),
  fallback: v.picklist(FUSION_CHOICES.fallback),
  fusion: v.picklist(FUSION_CHOICES.fusion),
  level: v.picklist(FUSION_CHOICES.level),
  metric: v.picklist(FUSION_CHOICES.metric),
  averageBy: v.picklist(FUSION_CHOICES.averageBy),
  temperature: v.pipe(v.number(), v.finite(), v.gtValue(0)),
  tail: v.picklist(FUSION_CHOICES.tail),
  bf16: v.boolean(),
  withPivot: v.boolean(),
  badRows: v.picklist(FUSION_CHOICES.badRows),
});
const headerSchema = v.object({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  name: text,
  vocabSize: v.pipe(count, v.minValue(1), v.maxValue(2 ** 31)),
  settings: settingsSchema,
  members: v.pipe(v.array(text), v.minLength(1), v.maxLength(64)),
  documents: count,
  dropped: v.pipe(v.array(v.object({ reason: text, count })), v.maxLength(1000)),
  reasons: v.pipe(v.array(v.string()), v.maxLength(255)),
});

/** Writes a dataset's file, document by document. */
export async function writeFusedFile(
  { name, vocabSize, settings, members, documents, dropped }: FusedHeader,
  records: AsyncIterable<FusedRecord>,
  write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<void> {
  const about = { name, vocabSize, settings, members, documents, dropped };
  const header = { format: FORMAT, version: VERSION, ...about, reasons: ALIGNMENT_REASONS };
  await write(RECORD_FILE_MAGIC.slice());
  await write(frameRecord(new TextEncoder().encode(JSON.stringify(header))));
  for await (const record of records) await write(frameRecord(encodeFused(record)));
}

/** A file's header and its documents, checked as they come. */
export async function openFusedFile(
  file: RecordFile,
  name: string,
): Promise<{ readonly header: FusedHeader; readonly records: AsyncGenerator<FusedRecord> }> {
  const frames = readRecordFile(file, name);
  const first = await frames.next();
  const header = first.done ? null : parseHeader(first.value);
  if (!header) {
    const message = `${name} is no fused dataset of this version: its header cannot be read. A newer FuseStudio may have written it.`;
    throw new EngineError("bad-header", message, { file: name });
  }
  async function* records() {
    let found = 0;
    for await (const bytes of frames) {
      const record = decodeFused(bytes);
      checkRecord(record, header as FusedHeader, `${name}, document ${found}`);
      found += 1;
      yield record;
    }
    if (found !== header?.documents) {
      const message = `${name} holds ${found} of ${header?.documents} documents. Copy the file again.`;
      throw new EngineError("truncated", message, { file: name, documents: found });
    }
  }
  return { header, records: records() };
}

function parseHeader(bytes: Uint8Array): FusedHeader | null {
  try {
    const said: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const result = v.safeParse(headerSchema, said);
    return result.success ? result.output : null;
  } catch {
    return null;
  }
}

/** What the codec cannot know: that ids are of this vocabulary, and that rows are distributions. */
function checkRecord(record: FusedRecord, header: FusedHeader, where: string): void {
  const { pivot, sources, weights, fused, tail } = record;
  const { vocabSize, members } = header;
  const refuse = (problem: string): never => {
    throw new EngineError("bad-offsets", `${where}: ${problem}.`, { where });
  };
  if (sources.length !== members.length - 1) {
    refuse(`it has ${sources.length} sources of ${members.length - 1}`);
  }
  const ids = [pivot.tokens.ids, pivot.ids, fused.ids, ...sources.map(({ rows }) => rows.ids)];
  for (const each of ids) {
    const high = each.find((id) => id >= vocabSize);
    if (high !== undefined) refuse(`it names id ${high} of a vocabulary of ${vocabSize}`);
  }
  // bf16 rows sum to a little more than 1.
  const isShare = (value: number) => value >= 0 && value <= 1.1;
  if (![weights, fused.values, tail].every((values) => values.every(isShare))) {
    refuse("a probability or a weight is not between 0 and 1");
  }
  if (!pivot.goldNats.every(Number.isFinite)) refuse("the pivot's nats are not finite");
}
