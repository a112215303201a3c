import type { ModelConfig } from "../../checkpoint/checkpoint.ts";
import { EngineError } from "../../contract/index.ts";
import { ConfigReader } from "./configReader.ts";
import type { DecoderSpec } from "./spec.ts";

/** An architecture; one file in architectures/ each. */
export interface Architecture {
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** Values that transformers assumes where config.json has none and `describe` states no other. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /**
   * Description of a config. `tied`: the head is the embedding. Throws `bad-config` or
   * `unsupported-architecture`.
   */
  describe(config: ConfigReader, tied: boolean): DecoderSpec;
}

const files = import.meta.glob<Architecture>("../architectures/*.ts", {
  import: "default",
  eager: true,
});
const ARCHITECTURES: ReadonlyMap<string, Architecture> = new Map(
  Object.values(files).map((architecture) => [architecture.modelType, architecture]),
);

/** Values of `model_type` that can be run. */
export function listArchitectures(): readonly string[] {
  return [...ARCHITECTURES.keys()].toSorted();
}

/** Description of a decoder from its config.json; `model` names it in messages. */
export function describeDecoder(config: ModelConfig | null, model: string): DecoderSpec {
  if (!config) {
    throw new EngineError(
      "missing-file",
      `${model} has no config.json, which says how its weights are to be run.`,
      { model, file: "config.json" },
    );
  }
  const known = ARCHITECTURES.get(config.modelType ?? "");
  if (!known) {
    const named = config.modelType ?? config.architecture ?? "an unnamed architecture";
    throw new EngineError(
      "unsupported-architecture",
      `${model} is ${named}, which cannot be run; ${listArchitectures().join(", ")} can. It can still be merged.`,
      { model, architecture: named },
    );
  }
  return known.describe(ConfigReader.of(config, known.defaults), config.tied);
}
