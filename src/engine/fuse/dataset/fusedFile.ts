import * as v from "valibot";
import {
  ALIGNMENT_REASONS,
  allowsValue,
  EngineError,
  FUSION_PROFILES,
  FUSION_SETTINGS,
  type FusionCard,
  type FusionSettings,
  type SettingCard,
} from "../../contract/index.ts";
import { completeSettings } from "../../core/checkSettings.ts";
import { decodeFused, encodeFused } from "./codec.ts";
import { frameRecord, RECORD_FILE_MAGIC, type RecordFile, readRecordFile } from "./recordFile.ts";
import type { FusedRecord } from "./records.ts";

/*
 * A fused dataset as one file, docs/fused-dataset.md: a record file whose first record is a header in
 * JSON and whose others are the documents.
 */

/** File extension of fused datasets. */
export const FUSED_ENDING = ".fused";
const FORMAT = "fusestudio fused dataset";
const VERSION = 1;

/** Header of a fused dataset's file. */
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
const headerSchema = v.object({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  name: text,
  vocabSize: v.pipe(count, v.minValue(1), v.maxValue(2 ** 31)),
  settings: v.looseObject({ profile: v.picklist(FUSION_PROFILES) }),
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

/** Opens a file: its header, and its documents, which are checked as they are read. */
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
    if (!result.success) return null;
    const settings = readSettings(result.output.settings);
    return settings && { ...result.output, settings };
  } catch {
    return null;
  }
}

/**
 * Settings of a fusion, or null. Settings that its version lacked get the profile's value. Numbers
 * need only be meaningful: imported rows may have more entries than the studio's limits.
 */
function readSettings(
  stated: Partial<FusionSettings> & Pick<FusionSettings, "profile">,
): FusionSettings | null {
  const settings = completeSettings(FUSION_SETTINGS, stated, stated.profile);
  const fine = Object.entries<SettingCard>(FUSION_SETTINGS).every(([name, card]) => {
    const value: unknown = settings[name as keyof FusionSettings];
    return typeof value === "number"
      ? Number.isFinite(value) && value > 0
      : allowsValue(card, value);
  });
  return fine ? settings : null;
}

/** Checks what the codec cannot: that ids are within the vocabulary, and rows are distributions. */
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
  // Rows rounded to bf16 can sum to slightly more than 1.
  const isShare = (value: number) => value >= 0 && value <= 1.1;
  if (![weights, fused.values, tail].every((values) => values.every(isShare))) {
    refuse("a probability or a weight is not between 0 and 1");
  }
  if (!pivot.goldNats.every(Number.isFinite)) refuse("the pivot's nats are not finite");
}
