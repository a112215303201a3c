import type { Adapter } from "../../checkpoint/adapters/adapter.ts";
import { scaleOf } from "../../checkpoint/adapters/adapterConfig.ts";
import { EngineError } from "../../contract/index.ts";
import type { MergedAdapter, MergedModule } from "./mergedAdapter.ts";

type Fields = Record<string, unknown>;

const BIAS = ["none", "lora_only", "all"];

/**
 * adapter_config.json of a merged adapter: the first adapter's, with what the merge changes. Ranks and
 * scales are stated so that PEFT computes the same scale for every module: by the first adapter's own
 * settings where they still do, else plainly, exceptions by full names.
 */
export function mergedConfig(
  adapters: readonly Adapter[],
  merged: Pick<MergedAdapter, "modules" | "rows">,
): string {
  const [first] = adapters as readonly [Adapter];
  const all = adapters.map(({ config: { fields } }) => fields);
  requireOneKind(adapters);
  const biases = all.map(({ bias }) => Math.max(0, BIAS.indexOf(String(bias ?? "none"))));
  const fields: Fields = {
    ...first.config.fields,
    ...targets(all, merged.modules),
    ...(fitsFirst(first, merged.modules) ? {} : ranks(merged.modules)),
    bias: BIAS[Math.max(...biases)],
    lora_bias: all.some(({ lora_bias: own }) => own === true),
    modules_to_save: union(all.map(({ modules_to_save: own }) => own)),
    inference_mode: true,
    // Values of its start that belong to a training, not to the factors.
    init_lora_weights: true,
    ...(merged.rows.length > 0 ? { trainable_token_indices: tokenRows(merged.rows) } : {}),
  };
  return `${JSON.stringify(fields, null, 2)}\n`;
}

function requireOneKind(adapters: readonly Adapter[]): void {
  const [first] = adapters as readonly [Adapter];
  const odd = adapters.find(({ config }) => config.dora !== first.config.dora);
  if (!odd) return;
  const [dora, plain] = first.config.dora ? [first, odd] : [odd, first];
  throw new EngineError(
    "mismatch",
    `${dora.name} is a DoRA, whose changes are scaled to magnitudes, and ${plain.name} is none: the two cannot be one adapter. Merge them as models, base+${dora.name} and base+${plain.name}.`,
    { adapter: dora.name, other: plain.name },
  );
}

/** Whether the first adapter's settings give every module its rank and scale. */
function fitsFirst({ config }: Adapter, modules: readonly MergedModule[]): boolean {
  return modules.every(({ module, rank, scale }) => {
    const stated = scaleOf(config, module);
    return stated.rank === rank && stated.scale === scale;
  });
}

/** The most frequent rank and alpha for all, and the other modules' by their names. */
function ranks(modules: readonly MergedModule[]): Fields {
  const r = mostFrequent(modules.map(({ rank }) => rank));
  const alphas = modules.map(({ rank, scale }) => scale * rank);
  const alpha = mostFrequent(alphas);
  const odd = (values: readonly number[], usual: number) =>
    Object.fromEntries(
      modules.flatMap(({ module }, i) => (values[i] === usual ? [] : [[module, values[i]!]])),
    );
  return {
    r,
    lora_alpha: alpha,
    use_rslora: false,
    rank_pattern: odd(
      modules.map(({ rank }) => rank),
      r,
    ),
    alpha_pattern: odd(alphas, alpha),
  };
}

function mostFrequent(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best), [1, 0])[0];
}

/** Modules by their full names, where the adapters do not state the same ones. */
function targets(all: readonly Fields[], modules: readonly MergedModule[]): Fields {
  const keys = ["target_modules", "exclude_modules", "layers_to_transform", "layers_pattern"];
  const stated = all.map((fields) => JSON.stringify(keys.map((key) => sorted(fields[key]))));
  if (new Set(stated).size === 1) return {};
  return {
    target_modules: modules.map(({ module }) => module),
    exclude_modules: null,
    layers_to_transform: null,
    layers_pattern: null,
  };
}

const sorted = (value: unknown) => (Array.isArray(value) ? [...value].sort() : (value ?? null));

function union(lists: readonly unknown[]): readonly unknown[] | null {
  const found = new Set(lists.flatMap((list) => (Array.isArray(list) ? list : [])));
  return found.size > 0 ? [...found] : null;
}

function tokenRows(rows: MergedAdapter["rows"]): Fields {
  return Object.fromEntries(rows.map((each) => [each.module.split(".").at(-1), each.rows]));
}
