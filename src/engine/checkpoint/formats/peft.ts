import { EngineError } from "../../contract/index.ts";
import type { FileTree } from "../../core/bytes.ts";
import { ADAPTER_CONFIG, parseAdapterConfig } from "../adapters/adapterConfig.ts";
import { defineFormat, topLevel } from "../checkpointFormat.ts";
import { refusePointer } from "../lfsPointer.ts";
import { readText } from "../smallFile.ts";
import { readHeader } from "./safetensors/header.ts";

const WEIGHTS = /(^|\/)adapter_model\.(safetensors|bin)$/;
const SAFETENSORS = "adapter_model.safetensors";
const MAX_CONFIG_BYTES = 16 * 2 ** 20;

/** PEFT adapter: changes to a base model, which its config names. */
export default defineFormat({
  title: "PEFT adapter",
  order: 20,
  isWeights: (path) => WEIGHTS.test(path),
  match: (paths) => topLevel(paths).some((path) => WEIGHTS.test(path) || path === ADAPTER_CONFIG),
  async open(files, name) {
    const stated = files.get(ADAPTER_CONFIG);
    if (!stated) throw missing(name, ADAPTER_CONFIG, "rank and scale of its factors are unknown");
    const adapter = parseAdapterConfig(
      await readText(stated, ADAPTER_CONFIG, MAX_CONFIG_BYTES),
      name,
    );
    const source = await findWeights(files, name);
    const { tensors } = await readHeader(source, SAFETENSORS);
    return {
      tensors: new Map(tensors.map((it) => [it.name, { ...it, file: SAFETENSORS, source }])),
      files: [SAFETENSORS, ADAPTER_CONFIG],
      notes: [],
      adapter,
    };
  },
});

async function findWeights(files: FileTree, name: string) {
  const source = files.get(SAFETENSORS);
  const pickle = topLevel(files.keys()).find((path) => WEIGHTS.test(path) && path !== SAFETENSORS);
  if (!source && pickle !== undefined) {
    await refusePointer(files.get(pickle)!, pickle);
    throw new EngineError(
      "pickle",
      `The adapter ${name} is stored as a pickle (${pickle}), which can run code when it is read. Save it again with peft: PeftModel.from_pretrained(base, …).save_pretrained(…) writes ${SAFETENSORS}.`,
      { model: name, file: pickle },
    );
  }
  if (!source) throw missing(name, SAFETENSORS, "it holds the adapter's weights");
  await refusePointer(source, SAFETENSORS);
  return source;
}

function missing(model: string, file: string, why: string): EngineError {
  return new EngineError(
    "missing-file",
    `${model} is a PEFT adapter without ${file}: ${why}. Take the whole folder.`,
    { model, file },
  );
}
