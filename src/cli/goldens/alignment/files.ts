import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { EngineError } from "../../../engine/contract/index.ts";
import type { DtwProfileName } from "../../../engine/fuse/align/warper.ts";

/** A row: ids, and the logits that belong to them. */
export type GoldenRow = readonly [readonly number[], readonly number[]];
/** Rows that differ from those of another mode, by position. */
export type RowChanges = Readonly<Record<string, GoldenRow>>;

/** A line of `align/*.jsonl`: one text of one pair, as a reference aligned it. */
export interface GoldenText {
  readonly text: string;
  readonly pivot_ids: readonly number[];
  readonly source_ids: readonly number[];
  readonly groups: readonly (readonly number[])[];
  readonly cost: number;
  readonly src_rows: readonly GoldenRow[];
  readonly rows: Readonly<Record<string, readonly GoldenRow[] | RowChanges>>;
  readonly padded?: {
    readonly length: number;
    readonly pivot_pad: number;
    readonly source_pad: number;
    readonly groups: readonly (readonly number[])[];
    readonly cost: number;
  };
}

/** `maps/*.json`: source id to pivot id, as the manifest describes each. */
export interface GoldenMaps {
  readonly exact: Readonly<Record<string, number | null>>;
  readonly mined?: Readonly<Record<string, number>>;
  readonly counts?: readonly (readonly [number, number, number])[];
  readonly ms?: Readonly<Record<string, number>>;
  readonly ms_default?: number;
}

/** `token_strings.json`: tokenizer, id, the string on file and (where needed) decoded. */
export type TokenStrings = Readonly<
  Record<string, Readonly<Record<string, readonly [string, string?]>>>
>;

const TokenizerSchema = v.object({
  marker: v.picklist(["▁", "Ġ", ""]),
  class: v.string(),
  bos: v.nullable(v.string()),
  eos: v.nullable(v.string()),
  unk: v.nullable(v.string()),
});

const ListedSchema = v.object({
  profile: v.picklist(["fusellm", "fusechat-v1", "fusechat-v2"] satisfies DtwProfileName[]),
  pivot: v.string(),
  source: v.string(),
  maps: v.string(),
});

const ManifestSchema = v.object({
  tokenizers: v.record(v.string(), TokenizerSchema),
  files: v.looseObject({
    "align/*.jsonl": v.object({ list: v.record(v.string(), ListedSchema) }),
  }),
});

export type GoldenTokenizer = v.InferOutput<typeof TokenizerSchema>;
export type ListedPair = v.InferOutput<typeof ListedSchema>;
export type AlignmentManifest = v.InferOutput<typeof ManifestSchema>;

/** The folder of alignment goldens: the one that is given, or the one in it; undefined: neither. */
export function findAlignmentGoldens(folder: string): string | undefined {
  return [join(folder, "alignment"), folder].find((path) =>
    existsSync(join(path, "token_strings.json")),
  );
}

/** `bad-config` where it is not what the goldens' manifest has to be. */
export async function readAlignmentManifest(folder: string): Promise<AlignmentManifest> {
  const path = join(folder, "manifest.json");
  const parsed = v.safeParse(ManifestSchema, await readGolden(path));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const where = v.getDotPath(issue) ?? "the document";
  throw new EngineError("bad-config", `${path}: ${where}: ${issue.message}`, { path, where });
}

export async function readGolden(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new EngineError("bad-config", `${path} cannot be read: ${error}`, { path }, error);
  }
}

/** The same, or undefined where a set of goldens has no such file. */
export async function readOptionalGolden(path: string): Promise<unknown> {
  return existsSync(path) ? readGolden(path) : undefined;
}

/** A file with one JSON value a line; none where there is no such file. */
export async function readGoldenLines(path: string): Promise<readonly unknown[]> {
  if (!existsSync(path)) return [];
  const text = await readFile(path, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);
}
