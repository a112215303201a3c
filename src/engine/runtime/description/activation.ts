import { EngineError } from "../../contract/index.ts";
import type { ConfigReader } from "./configReader.ts";
import { ACTIVATIONS, type Activation } from "./spec.ts";

const ACTIVATION_NAMES: Readonly<Record<string, Activation>> = {
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_python: "gelu",
  gelu_new: "gelu_tanh",
  gelu_fast: "gelu_tanh",
  gelu_pytorch_tanh: "gelu_tanh",
  relu: "relu",
};

/** Activation of any of transformers' names. */
export function readActivation(
  config: ConfigReader,
  names: readonly string[],
  fallback: string,
): Activation {
  const name = config.word(names, fallback);
  if (Object.hasOwn(ACTIVATION_NAMES, name)) return ACTIVATION_NAMES[name] as Activation;
  throw new EngineError(
    "unsupported-architecture",
    `The activation "${name.slice(0, 40)}" cannot be run; ${ACTIVATIONS.join(", ")} can.`,
    { activation: name.slice(0, 40) },
  );
}
