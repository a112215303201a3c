import type { Checkpoint, CheckpointTensor } from "../../checkpoint/checkpoint.ts";
import { parseConfig } from "../../checkpoint/config.ts";
import { EngineError } from "../../contract/index.ts";
import { type ByteSource, readAll } from "../../core/bytes.ts";
import { byteLength } from "../../core/tensor/dtype.ts";
import type { Plan } from "../plan/outputTensor.ts";
import { makeDocuments } from "../run/sideFiles.ts";

const CONFIG_LIMIT = 2 ** 20;

/** Source of weights that nobody has computed. */
function notYet(name: string, bytes: number): ByteSource {
  const message = `The merge "${name}" has not been made: its weights cannot be read yet.`;
  return {
    byteLength: bytes,
    read: () => Promise.reject(new EngineError("missing-file", message, { model: name })),
  };
}

/**
 * The result of a merge before it is made, as later merges are planned over it: its tensors' names,
 * shapes and dtypes, its config and its tokenizer, and no weight.
 */
export async function plannedCheckpoint(plan: Plan, name: string): Promise<Checkpoint> {
  const files = await makeDocuments(plan, { name, map: null });
  const config = files.get("config.json");
  const text = config && new TextDecoder().decode(await readAll(config, CONFIG_LIMIT));
  const file = plan.shards.files[0]?.path ?? "model.safetensors";
  const tensors = plan.outputs.map(({ name: own, shape, dtype }): [string, CheckpointTensor] => {
    const elementCount = shape.reduce((product, axis) => product * axis, 1);
    const bytes = byteLength(dtype, elementCount);
    const about = { name: own, dtype, shape, elementCount, byteLength: bytes, file, start: 0 };
    return [own, { ...about, source: notYet(name, bytes) }];
  });
  return {
    name,
    config: text === undefined ? null : parseConfig(text, "config.json"),
    tensors: new Map(tensors),
    files,
    weightFiles: [],
    quantised: [],
    notes: [],
    planned: true,
  };
}
