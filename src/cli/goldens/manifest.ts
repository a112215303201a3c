import { join } from "node:path";
import * as v from "valibot";
import { EngineError } from "../../engine/contract/index.ts";
import { readAll } from "../../engine/core/bytes.ts";
import { openFiles } from "../../node/files.ts";
import { type ConfigCases, ConfigCasesSchema } from "./configCases.ts";

const LARGEST_MANIFEST_BYTES = 64 * 2 ** 20;

const ParamsSchema = v.record(
  v.string(),
  v.nullable(v.union([v.number(), v.boolean(), v.string(), v.array(v.number())])),
);

const MethodCaseSchema = v.object({
  id: v.string(),
  method: v.string(),
  file: v.string(),
  params: ParamsSchema,
  model_params: v.array(ParamsSchema),
  expect: v.picklist(["value", "error", "nonfinite", "unstable"]),
  tolerance: v.nullish(
    v.object({ atol: v.number(), rtol: v.number(), max_mismatch_fraction: v.number() }),
  ),
  tensors: v.object({
    base: v.nullish(v.string()),
    models: v.array(v.string()),
    out: v.nullish(v.string()),
    ambiguous: v.nullish(v.string()),
    /** Recorded draws in [0, 1), one tensor for each model. */
    uniforms: v.nullish(v.array(v.string())),
  }),
});

const VarmCaseSchema = v.object({
  id: v.string(),
  file: v.string(),
  granularity: v.string(),
  merge_type: v.string(),
  temp: v.number(),
  use_sfmax: v.boolean(),
  excluded_pattern: v.nullable(v.array(v.string())),
  models: v.array(v.string()),
  base: v.string(),
  analysis: v.string(),
  /** Per tensor, or `*` for all; absent where each element has its own. */
  weights: v.nullish(v.record(v.string(), v.array(v.number()))),
  out_prefix: v.string(),
  expect: v.optional(v.picklist(["value", "error", "nonfinite", "unstable"]), "value"),
});

const FolderCaseSchema = v.object({
  id: v.string(),
  yaml: v.string(),
  options: v.nullish(v.object({ out_shard_size: v.nullish(v.number()) }), {}),
  /** Where the reference refuses it. */
  error: v.nullish(v.string()),
  config: v.nullish(v.object({ vocab_size: v.number(), tie_word_embeddings: v.boolean() })),
});

const OtherSectionSchema = v.optional(v.unknown());

const ManifestSchema = v.object({
  cases: v.optional(v.array(v.looseObject({ id: v.string(), method: v.string() })), []),
  varm: v.optional(v.object({ cases: v.array(VarmCaseSchema) })),
  e2e: v.optional(v.object({ dir: v.string(), cases: v.array(FolderCaseSchema) })),
  random_stats: v.optional(v.array(v.looseObject({ kind: v.string() }))),
  misc: OtherSectionSchema,
  config: v.optional(v.object({ file: v.string() })),
});

export type MethodCase = v.InferOutput<typeof MethodCaseSchema>;
export type VarmCase = v.InferOutput<typeof VarmCaseSchema>;
export type FolderCase = v.InferOutput<typeof FolderCaseSchema>;
export type Manifest = v.InferOutput<typeof ManifestSchema>;

/** Python writes NaN and Infinity, which JSON has not: null, outside of strings. */
function parsePythonJson(text: string): unknown {
  const plain = text.replace(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (token) =>
    token.startsWith('"') ? token : "null",
  );
  return JSON.parse(plain);
}

/** A JSON file of at most 64 MiB, or undefined where there is none; `bad-config` when it is not JSON. */
async function readJson(path: string): Promise<unknown> {
  const opened = await openFiles(path).catch((error: unknown) => {
    if (error instanceof EngineError && error.code === "missing-file") return undefined;
    throw error;
  });
  const [source] = opened?.files.values() ?? [];
  if (!opened || !source) return undefined;
  try {
    const text = new TextDecoder().decode(await readAll(source, LARGEST_MANIFEST_BYTES));
    return parsePythonJson(text);
  } catch (error) {
    throw new EngineError("bad-config", `${path} is not JSON: ${error}`, { path }, error);
  } finally {
    await opened.close();
  }
}

/**
 * Reads a golden folder's manifest; `missing-file` or `bad-config` says what is wrong with it. An
 * `optional` one that is not there names no case.
 */
export async function readManifest(folder: string, optional = false): Promise<Manifest> {
  const path = join(folder, "manifest.json");
  const json = (await readJson(path)) ?? (optional ? {} : undefined);
  if (json === undefined) {
    throw new EngineError("missing-file", `${path} does not exist: is ${folder} a golden folder?`, {
      path,
    });
  }
  return check(ManifestSchema, json, path);
}

/** The recipes of a folder with mergekit's plan for each; undefined where it has none. */
export async function readConfigCases(
  folder: string,
  { config }: Manifest,
): Promise<ConfigCases | undefined> {
  if (!config) return undefined;
  const path = join(folder, config.file);
  return check(ConfigCasesSchema, await readJson(path), path);
}

/** A case in full; only those of methods that are built have to be understood. */
export function readMethodCase(one: Manifest["cases"][number]): MethodCase {
  return check(MethodCaseSchema, one, one.id);
}

function check<S extends v.GenericSchema>(schema: S, json: unknown, path: string) {
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const where = v.getDotPath(issue) ?? "the document";
  throw new EngineError("bad-config", `${path}: ${where}: ${issue.message}`, { path, where });
}
