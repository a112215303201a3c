import { EngineError } from "../../contract/index.ts";
import { ConfigReader } from "./configReader.ts";
import type { RopeScaling, RopeSpec } from "./spec.ts";

const FACTOR = { min: 1e-3, max: 1e4 };
const CONTEXT = { min: 1, max: 2 ** 30 };

/**
 * Rotary embedding of a config: `rope_parameters` as transformers 5 writes it, or `rope_theta`,
 * `rope_scaling` and `partial_rotary_factor` as version 4 did; of both, transformers takes
 * `rope_scaling`. `fraction` is the rotated part where config.json states none, for architectures
 * that rotate a part of each head; the others rotate all of it, whatever config.json says.
 */
export function readRope(config: ConfigReader, headDim: number, fraction?: number): RopeSpec {
  const stated = config.object("rope_scaling");
  const scaling = stated.isEmpty ? config.object("rope_parameters") : stated;
  const partial = scaling.raw("partial_rotary_factor") === undefined ? config : scaling;
  const turned =
    fraction === undefined
      ? 1
      : partial.number(["partial_rotary_factor", "rotary_pct"], { min: 0, max: 1 }, fraction);
  const theta = readTheta(config, scaling, ["rope_theta", "rotary_emb_base"], 10_000);
  return ropeOf(config, scaling, { theta, dims: Math.floor(headDim * turned), headDim });
}

/** Ropes of layers with full attention, and of layers with a sliding window. */
export interface RopesByType {
  readonly full: RopeSpec;
  readonly sliding: RopeSpec;
}

/**
 * The two rotary embeddings of Gemma 3: `rope_parameters` by layer type as transformers 5 writes
 * them, or `rope_theta` and `rope_scaling` for full attention and `rope_local_base_freq` for
 * sliding windows, as version 4 did; of both, transformers lets `rope_scaling` override.
 */
export function readRopesByType(config: ConfigReader, headDim: number): RopesByType {
  const parameters = config.object("rope_parameters");
  const plain = new ConfigReader([{ rope_type: "default" }]);
  const full = config
    .object("rope_scaling")
    .orElse(parameters.object("full_attention"))
    .orElse(plain);
  const sliding = parameters.object("sliding_attention").orElse(plain);
  const whole = { dims: headDim, headDim };
  return {
    full: ropeOf(config, full, {
      ...whole,
      theta: readTheta(config, full, ["rope_theta"], 1_000_000),
    }),
    sliding: ropeOf(config, sliding, {
      ...whole,
      theta: readTheta(config, sliding, ["rope_local_base_freq"], 10_000),
    }),
  };
}

/** `rope_theta` beside the scaling, else by its older names at the top of config.json. */
function readTheta(
  config: ConfigReader,
  scaling: ConfigReader,
  names: readonly string[],
  fallback: number,
): number {
  const range = { min: 1, max: 1e12 };
  return scaling.optionalNumber(["rope_theta"], range) ?? config.number(names, range, fallback);
}

function ropeOf(
  config: ConfigReader,
  scaling: ConfigReader,
  {
    theta,
    dims,
    headDim,
  }: { readonly theta: number; readonly dims: number; readonly headDim: number },
): RopeSpec {
  if (2 * Math.ceil(dims / 2) > headDim) {
    throw new EngineError(
      "bad-config",
      `Rotary embeddings turn pairs, but a head has an odd number of dimensions: ${headDim}.`,
      { dims, headDim },
    );
  }
  return {
    theta,
    dims,
    pairs: Math.ceil(dims / 2),
    scaling: readScaling(config, scaling, Math.ceil(dims / 2)),
  };
}

function readScaling(config: ConfigReader, scaling: ConfigReader, pairs: number): RopeScaling {
  const kind = scaling.word(["rope_type", "type"], "default");
  const context = () =>
    scaling.number(
      ["original_max_position_embeddings"],
      CONTEXT,
      config.number(["original_max_position_embeddings", "max_position_embeddings"], CONTEXT),
    );
  switch (kind) {
    case "default":
      return { kind: "none" };
    case "linear":
      return { kind: "linear", factor: scaling.number(["factor"], FACTOR) };
    case "llama3": {
      const lowFrequencyFactor = scaling.number(["low_freq_factor"], FACTOR);
      return {
        kind: "llama3",
        factor: scaling.number(["factor"], FACTOR),
        lowFrequencyFactor,
        highFrequencyFactor: scaling.number(["high_freq_factor"], FACTOR),
        originalContext: context(),
      };
    }
    case "yarn": {
      const originalContext = context();
      const stated = scaling.optionalNumber(["factor"], FACTOR);
      const factor =
        stated ?? config.number(["max_position_embeddings"], CONTEXT) / originalContext;
      return {
        kind: "yarn",
        factor,
        betaFast: scaling.number(["beta_fast"], FACTOR, 32) || 32,
        betaSlow: scaling.number(["beta_slow"], FACTOR, 1) || 1,
        originalContext,
        truncate: scaling.boolean(["truncate"], true),
        attentionFactor: yarnAttentionFactor(scaling, factor),
      };
    }
    case "su": // what the first Phi-3 called it
    case "longrope": {
      const originalContext = context();
      return {
        kind: "longrope",
        short: scaling.numbers("short_factor", pairs, FACTOR),
        long: scaling.numbers("long_factor", pairs, FACTOR),
        originalContext,
        attentionFactor: longropeAttentionFactor(config, scaling, originalContext),
      };
    }
    default:
      throw new EngineError(
        "unsupported-architecture",
        `The rotary embedding's scaling "${kind.slice(0, 40)}" cannot be run; default, linear, llama3, yarn and longrope can.`,
        { scaling: kind.slice(0, 40) },
      );
  }
}

/** √(1 + ln(factor) / ln(original context)) (LongRoPE, arXiv 2402.13753), unless stated. */
function longropeAttentionFactor(
  config: ConfigReader,
  scaling: ConfigReader,
  originalContext: number,
): number {
  const stated = scaling.optionalNumber(["attention_factor"], { min: 0, max: 100 });
  if (stated !== null) return stated;
  const factor =
    scaling.optionalNumber(["factor"], FACTOR) ??
    config.number(["max_position_embeddings"], CONTEXT) / originalContext;
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalContext));
}

/** 0.1 · ln(factor) + 1 (the YaRN paper, §3.4), unless the config states another. */
function yarnAttentionFactor(scaling: ConfigReader, factor: number): number {
  const range = { min: 0, max: 100 };
  const stated = scaling.optionalNumber(["attention_factor"], range);
  if (stated !== null) return stated;
  const scale = (mscale: number) => (factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1);
  const mscale = scaling.number(["mscale"], range, 0);
  const mscaleAll = scaling.number(["mscale_all_dim"], range, 0);
  return mscale > 0 && mscaleAll > 0 ? scale(mscale) / scale(mscaleAll) : scale(1);
}
