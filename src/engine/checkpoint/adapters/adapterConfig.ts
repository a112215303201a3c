import { EngineError } from "../../contract/index.ts";
import { clip, isObject, parsePythonJson } from "../../core/json.ts";
import { findPattern, type Pattern, readPatterns } from "./modulePatterns.ts";

export const ADAPTER_CONFIG = "adapter_config.json";

/** What adapter_config.json says of a LoRA, in PEFT's terms. */
export interface AdapterConfig {
  /** Model that it was trained on: a name of the Hub, or a path on another machine. */
  readonly base: string | null;
  readonly rank: number;
  readonly alpha: number;
  readonly rankPattern: readonly Pattern[];
  readonly alphaPattern: readonly Pattern[];
  /** Whether the scale is alpha/√rank (Kalajdzievski, arXiv:2312.03732), not alpha/rank. */
  readonly rslora: boolean;
  /** Whether rows have trained magnitudes (DoRA, arXiv:2402.09353). */
  readonly dora: boolean;
  /** Whether square matrices are stored transposed, as Conv1D stores all of its own. */
  readonly fanInFanOut: boolean;
  /** Rows that are trained by themselves, by the embedding's name; "" is the token embedding. */
  readonly tokenRows: ReadonlyMap<string, readonly number[]>;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Settings that change what the factors mean, with a phrase; none is read. */
const UNREAD: readonly (readonly [key: string, phrase: string])[] = [
  ["target_parameters", "LoRA on parameters of fused experts (target_parameters)"],
  ["layer_replication", "layers that are repeated (layer_replication)"],
  ["use_bdlora", "block-diagonal factors (BD-LoRA)"],
  ["use_qalora", "pooled inputs (QALoRA)"],
  ["kasa_config", "factors around singular values (KaSA)"],
  ["monteclora_config", "sampled factors (MonteCLoRA)"],
  ["alora_invocation_tokens", "activation by tokens (aLoRA)"],
  ["arrow_config", "routing between adapters (Arrow)"],
];
/** Starts that change the base's weights before training, so that B·A belongs to other weights. */
const OTHER_BASE = /^(pissa|olora|corda|loftq|lora_ga|eva_residual)/i;
const MOST_TOKEN_ROWS = 2 ** 20;

/** Reads adapter_config.json. `bad-config` for a wrong value, `unsupported-architecture` for other kinds. */
export function parseAdapterConfig(text: string, model: string): AdapterConfig {
  const read = parsePythonJson(text, { maxDepth: 32, duplicateKeys: "allow" });
  if ("problem" in read) {
    const { line, column, reason } = read.problem;
    throw refuse(model, `breaks at line ${line}, column ${column}: ${reason}`);
  }
  const fields = read.value;
  if (!isObject(fields)) throw refuse(model, "must be a JSON object");
  requireLora(fields, model);
  const number = (key: string, fallback: number) => {
    const value = fields[key] ?? fallback;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw refuse(model, `has ${key} ${JSON.stringify(value).slice(0, 80)}; it must be a number`);
  };
  const rank = number("r", 8);
  if (!Number.isSafeInteger(rank) || rank < 1) {
    throw refuse(model, `has r ${rank}; a rank is a whole number of at least 1`);
  }
  const { base_model_name_or_path: base, trainable_token_indices: rows } = fields;
  return {
    base: typeof base === "string" && base !== "" ? base.slice(0, 200) : null,
    rank,
    alpha: number("lora_alpha", 8),
    rankPattern: readPatterns(fields.rank_pattern, "rank_pattern", model),
    alphaPattern: readPatterns(fields.alpha_pattern, "alpha_pattern", model),
    rslora: fields.use_rslora === true,
    dora: fields.use_dora === true,
    fanInFanOut: fields.fan_in_fan_out === true,
    tokenRows: readTokenRows(rows, model),
    fields,
  };
}

/** Rank and scale s of a module's W + s · B · A, as PEFT finds them by the module's name. */
export function scaleOf(config: AdapterConfig, module: string): { rank: number; scale: number } {
  const rank = findPattern(config.rankPattern, module) ?? config.rank;
  const alpha = findPattern(config.alphaPattern, module) ?? config.alpha;
  return { rank, scale: alpha / (config.rslora ? Math.sqrt(rank) : rank) };
}

/** Error about a value of adapter_config.json. */
export function refuse(model: string, phrase: string): EngineError {
  return new EngineError("bad-config", `${ADAPTER_CONFIG} of ${model} ${phrase}.`, {
    model,
    file: ADAPTER_CONFIG,
  });
}

function requireLora(fields: Readonly<Record<string, unknown>>, model: string): void {
  const { base_model_name_or_path: base } = fields;
  const into = typeof base === "string" && base !== "" ? `its base, ${clip(base)},` : "its base";
  const unsupported = (what: string) =>
    new EngineError(
      "unsupported-architecture",
      `${model} is an adapter with ${what}, which is not read. Merge it into ${into} first, with peft: PeftModel.from_pretrained(base, …).merge_and_unload().save_pretrained(…). Then take the result.`,
      { model, file: ADAPTER_CONFIG },
    );
  const kind = fields.peft_type ?? "LORA";
  if (kind !== "LORA") throw unsupported(`peft_type ${clip(String(kind))}, not LoRA`);
  for (const [key, phrase] of UNREAD) {
    const value = fields[key];
    const off = value === undefined || value === null || value === false;
    if (!off && !(Array.isArray(value) && value.length === 0)) throw unsupported(phrase);
  }
  const { init_lora_weights: start } = fields;
  if (typeof start === "string" && OTHER_BASE.test(start)) {
    throw unsupported(`the start ${clip(start)}, whose factors belong to changed base weights`);
  }
}

function readTokenRows(stated: unknown, model: string): ReadonlyMap<string, readonly number[]> {
  if (stated === undefined || stated === null) return new Map();
  const entries: readonly [string, unknown][] = isObject(stated)
    ? Object.entries(stated)
    : [["", stated]];
  return new Map(
    entries.map(([name, rows]) => {
      const isRow = (row: unknown) => Number.isSafeInteger(row) && (row as number) >= 0;
      if (Array.isArray(rows) && rows.length <= MOST_TOKEN_ROWS && rows.every(isRow)) {
        return [name, rows as readonly number[]];
      }
      throw refuse(model, "has trainable_token_indices that are no list of token ids");
    }),
  );
}
