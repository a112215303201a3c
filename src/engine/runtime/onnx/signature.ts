import type { InferenceSession } from "onnxruntime-web";
import { EngineError } from "../../contract/index.ts";

/** Keys or values of one layer: the names of their input and output. */
export interface PastTensor {
  readonly input: string;
  readonly output: string;
  readonly dtype: "float32" | "float16";
  readonly heads: number;
  readonly headDim: number;
}

/** Inputs and outputs of a decoder, under Optimum's names. */
export interface OnnxSignature {
  /** Integer inputs of the model, with their types. */
  readonly ids: ReadonlyMap<IdInput, "int64" | "int32">;
  /** Whether the graph has an input that says whether a past is given. */
  readonly branches: boolean;
  /** Cache inputs; empty where it has none: then every call computes all tokens. */
  readonly past: readonly PastTensor[];
}

const ID_INPUTS = ["input_ids", "attention_mask", "position_ids"] as const;
export type IdInput = (typeof ID_INPUTS)[number];

/** Input of exports that join graphs with and without a past in an `If`. */
export const BRANCH_INPUT = "use_cache_branch";
const PAST = /^past_key_values\.(\d{1,4})\.(key|value)$/;
const LARGEST = 2 ** 16;
const isIdInput = (name: string): name is IdInput =>
  (ID_INPUTS as readonly string[]).includes(name);

/**
 * Signature of a session; `unsupported-architecture` names inputs or outputs that are not
 * supported.
 */
export function readSignature(
  session: Pick<InferenceSession, "inputMetadata" | "outputMetadata">,
  name: string,
): OnnxSignature {
  const refuse = (why: string): never => {
    throw new EngineError(
      "unsupported-architecture",
      `${name} ${why}. A decoder exported by Optimum for text-generation takes input_ids, attention_mask, position_ids and past_key_values.N.key/value, and gives logits and present.N.key/value.`,
      { model: name },
    );
  };
  const outputs = new Map(session.outputMetadata.map((output) => [output.name, output]));
  const ids = new Map<IdInput, "int64" | "int32">();
  const past: PastTensor[] = [];
  let branches = false;
  for (const input of session.inputMetadata) {
    const shown = input.name.slice(0, 100);
    if (!input.isTensor) return refuse(`takes "${shown}", which is no tensor`);
    const { type, shape } = input;
    const cached = PAST.exec(input.name);
    if (isIdInput(input.name)) {
      if (type !== "int64" && type !== "int32") return refuse(`takes ${shown} as ${type}`);
      if (shape.length > 0 && (shape.length !== 2 || typeof shape[1] === "number")) {
        return refuse(`takes ${shown} of the fixed shape [${shape.join(", ")}]`);
      }
      ids.set(input.name, type);
    } else if (cached) {
      const output = `present.${cached[1]}.${cached[2]}`;
      if (!outputs.has(output)) return refuse(`takes ${shown} but does not give ${output}`);
      if (type !== "float32" && type !== "float16") return refuse(`takes ${shown} as ${type}`);
      const [, heads, , headDim] = shape;
      if (shape.length !== 4 || !isSize(heads) || !isSize(headDim)) {
        return refuse(`takes ${shown} of the shape [${shape.join(", ")}]`);
      }
      past.push({ input: input.name, output, dtype: type, heads, headDim });
    } else if (input.name === BRANCH_INPUT) {
      if (type !== "bool") return refuse(`takes ${shown} as ${type}`);
      branches = true;
    } else {
      return refuse(`takes "${shown}", which the studio does not know`);
    }
  }
  if (!ids.has("input_ids")) return refuse("does not take input_ids");
  const logits = outputs.get("logits");
  if (!logits?.isTensor) return refuse(`gives ${[...outputs.keys()].slice(0, 4)}, not logits`);
  if (logits.type !== "float32" && logits.type !== "float16") {
    return refuse(`gives logits as ${logits.type}`);
  }
  return { ids, branches, past };
}

function isSize(side: number | string | undefined): side is number {
  return typeof side === "number" && side >= 1 && side <= LARGEST;
}
