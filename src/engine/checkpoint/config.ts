import { EngineError, type OutputDType } from "../contract/index.ts";
import { isObject, type JsonMember, parsePythonJson } from "../core/json.ts";
import { torchName } from "../core/tensor/dtype.ts";

/** Fields of a config.json in either spelling of transformers, with its text. */
export interface ModelConfig {
  readonly text: string;
  readonly architecture: string | null;
  readonly modelType: string | null;
  readonly layers: number | null;
  readonly vocabSize: number | null;
  readonly hiddenSize: number | null;
  readonly tied: boolean;
  /** All fields, for comparisons by key. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Model types whose head is the embedding unless config.json says otherwise: the defaults of
 * transformers 5's classes, which its configs leave out.
 */
const TIED_BY_DEFAULT: ReadonlySet<string> = new Set(
  `albert bart bert bert-generation big_bird bigbird_pegasus biogpt blenderbot blenderbot-small bloom
  camembert cohere cohere2 cohere2_moe convbert cpmant ctrl data2vec-text deberta deberta-v2 distilbert
  electra ernie ernie4_5 ernie4_5_moe esm falcon falcon_mamba flaubert florence2 fnet funnel gemma
  gemma2 gemma3 gemma3_text gemma3n gemma3n_text gemma4 gemma4_text gpt-sw3 gpt2 gpt_bigcode gpt_neo
  gpt_neox_japanese ibert jetmoe layoutlm led lfm2 lfm2_moe longformer longt5 luke m2m_100 mamba marian
  mbart megatron-bert minicpm3 mobilebert modernbert modernbert-decoder mpnet mpt mra mt5 mvp nllb-moe
  nomic_bert nystromformer openai-gpt opt paligemma pegasus pegasus_x plbart pop2piano prophetnet
  recurrent_gemma roberta roberta-prelayernorm roc_bert roformer smollm3 speech_to_text squeezebert
  starcoder2 switch_transformers t5 t5gemma trocr udop umt5 vaultgemma whisper xglm xlm xlm-roberta
  xlm-roberta-xl xlnet xmod yoso zamba zamba2`.split(/\s+/),
);

/** Key under which configs of diffusers name the model's class. */
const DIFFUSERS = "_class_name";
/** Key of the language model's config within a multimodal model's. */
const NESTED = "text_config";
const RULES = { maxDepth: 64, duplicateKeys: "allow" } as const;

/**
 * Parses a config.json as Python writes it, with `Infinity` and `NaN`. `bad-config` with file and
 * line where it is no JSON object.
 */
export function parseConfig(text: string, file: string): ModelConfig {
  const { value: fields } = readJson(text, file);
  if (!isObject(fields)) {
    throw new EngineError("bad-config", `${file} must be a JSON object.`, { file });
  }
  const inner = isObject(fields[NESTED]) ? fields[NESTED] : {};
  const look = (...keys: readonly string[]) =>
    keys.flatMap((key) => [fields[key], inner[key]]).find((value) => value !== undefined);
  const count = (...keys: readonly string[]) => {
    const value = look(...keys);
    if (value === undefined || value === null) return null;
    if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
    throw new EngineError(
      "bad-config",
      `${keys[0]} in ${file} must be a whole number, not ${JSON.stringify(value).slice(0, 80)}.`,
      { file, key: keys[0]! },
    );
  };
  const word = (value: unknown) => (typeof value === "string" ? value.slice(0, 200) : null);
  const architectures = look("architectures");
  const modelType = word(look("model_type"));
  const tied = look("tie_word_embeddings");
  return {
    text,
    architecture: word(Array.isArray(architectures) ? architectures[0] : fields[DIFFUSERS]),
    modelType,
    layers: count("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
    vocabSize: count("vocab_size"),
    hiddenSize: count("hidden_size", "n_embd", "d_model"),
    tied: typeof tied === "boolean" ? tied : TIED_BY_DEFAULT.has(modelType ?? ""),
    fields,
  };
}

/** A field of a config as its text has it. */
export interface ConfigField {
  /** Object that it stands in, `text_config`; empty at the top. */
  readonly path: string;
  readonly key: string;
  /** Its value as JSON, in the file's own spelling. */
  readonly json: string;
}

/** Name of a checkpoint's weight files, before the ending: diffusers looks for its own. */
export function weightStem(config: ModelConfig | null): string {
  return config && DIFFUSERS in config.fields ? "diffusion_pytorch_model" : "model";
}

/** Fields of a config and of the objects within it, in the text's order. */
export function configFields({ text }: ModelConfig, file = "config.json"): readonly ConfigField[] {
  return readJson(text, file)
    .members.filter(({ path }) => path.length < 2)
    .map(({ path, key, start, end }) => ({
      path: path[0] ?? "",
      key,
      json: text.slice(start, end),
    }));
}

/** Fields that a merge may change in a config. */
export interface ConfigChanges {
  /** Fields with their new values; one that is not stated is added at the top. */
  readonly fields?: readonly ConfigField[];
  readonly dtype?: OutputDType;
  readonly vocabSize?: number;
  readonly tied?: boolean;
}

/**
 * The config.json with these fields changed wherever it states them, in its own spelling. All other
 * characters stay: Python distinguishes 10000.0 from 10000. A field that is stated nowhere is added
 * as the last line. Quantisation settings are removed, since results are plain floats.
 */
export function rewriteConfig(
  original: string,
  changes: ConfigChanges,
  file = "config.json",
): string {
  const text = dropQuantisation(original, file);
  const { members } = readJson(text, file);
  const edits: { readonly start: number; readonly end: number; readonly text: string }[] = [];
  const added: string[] = [];
  const put = (stated: readonly JsonMember[], key: string | undefined, json: string) => {
    for (const { start, end } of stated) edits.push({ start, end, text: json });
    if (stated.length === 0) added.push(`  "${key}": ${json}`);
  };
  const set = (keys: readonly string[], value: string | number | boolean) => {
    const stated = members.filter(
      ({ path, key }) =>
        keys.includes(key) && (path.length === 0 || (path.length === 1 && path[0] === NESTED)),
    );
    put(stated, keys[0], JSON.stringify(value));
  };
  const setDType = (name: string) => {
    const keys = dtypeKeys(text);
    const isStated = members.some(({ key }) => keys.includes(key));
    // diffusers' configs name none, and are refused a field that the class does not know.
    if (isStated || !members.some(({ key }) => key === DIFFUSERS)) set(keys, name);
  };
  for (const { path, key, json } of changes.fields ?? []) {
    const isIt = (member: JsonMember) => member.key === key && member.path.join("/") === path;
    put(members.filter(isIt), key, json);
  }
  if (changes.dtype) setDType(torchName(changes.dtype));
  if (changes.vocabSize !== undefined) set(["vocab_size"], changes.vocabSize);
  if (changes.tied !== undefined) set(["tie_word_embeddings"], changes.tied);
  if (added.length > 0) {
    const last = members.filter(({ path }) => path.length === 0).at(-1);
    const at = last ? last.end : text.indexOf("{") + 1;
    edits.push({
      start: at,
      end: at,
      text: `${last ? "," : ""}\n${added.join(",\n")}${last ? "" : "\n"}`,
    });
  }
  return edits
    .toSorted((a, b) => b.start - a.start)
    .reduce((done, edit) => done.slice(0, edit.start) + edit.text + done.slice(edit.end), text);
}

/** Items of a JSON list as its text spells them; null where it is none. */
export function splitItems(json: string): readonly string[] | null {
  if (!json.startsWith("[")) return null;
  const items: string[] = [];
  let [start, depth] = [1, 0];
  for (const { 0: token, index } of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},]/g)) {
    if (token === "[" || token === "{") depth++;
    const ends = token === "]" && depth === 1;
    if (depth === 1 && (token === "," || ends)) {
      const item = json.slice(start, index).trim();
      if (item !== "") items.push(item);
      start = index + 1;
    }
    if (token === "]" || token === "}") depth--;
  }
  return items;
}

/** List of JSON items, laid out as another list is. */
export function joinItems(items: readonly string[], like: string): string {
  const [, indent] = /^\[\n(\s*)/.exec(like) ?? [];
  if (indent === undefined || items.length === 0) return `[${items.join(", ")}]`;
  const close = /\n(\s*)\]$/.exec(like)?.[1] ?? "";
  return `[\n${items.map((item) => indent + item).join(",\n")}\n${close}]`;
}

const QUANTISATION = ["quantization_config", "compression_config", "quantization"];

/** The text without the members that describe a quantisation, each with one adjoining comma. */
function dropQuantisation(text: string, file: string): string {
  const { members } = readJson(text, file);
  const doomed = members.find(
    ({ path, key }) =>
      QUANTISATION.includes(key) &&
      (path.length === 0 || (path.length === 1 && path[0] === NESTED)),
  );
  if (!doomed) return text;
  const after = /^\s*,\s*/.exec(text.slice(doomed.end))?.[0];
  const before = /,?\s*$/.exec(text.slice(0, doomed.keyStart))![0];
  const [start, end] =
    after === undefined
      ? [doomed.keyStart - before.length, doomed.end]
      : [doomed.keyStart, doomed.end + after.length];
  return dropQuantisation(text.slice(0, start) + text.slice(end), file);
}

/**
 * Both keys of the dtype, first the one to add where neither exists: transformers 5 writes `dtype`.
 */
function dtypeKeys(text: string): readonly string[] {
  const five = /"transformers_version"\s*:\s*"([5-9]|[1-9]\d)\./.test(text);
  return five ? ["dtype", "torch_dtype"] : ["torch_dtype", "dtype"];
}

function readJson(text: string, file: string) {
  const members: JsonMember[] = [];
  const read = parsePythonJson(text, { ...RULES, onMember: (member) => members.push(member) });
  if ("value" in read) return { members, value: read.value };
  const { line, column, reason } = read.problem;
  throw new EngineError(
    "bad-config",
    `${file} breaks at line ${line}, column ${column}: ${reason}.`,
    { file, line, column },
  );
}
