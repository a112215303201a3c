import { EngineError } from "../../contract/index.ts";
import { type FileTree, readAll } from "../../core/bytes.ts";
import { isObject } from "../../core/json.ts";
import { defineFormat, topLevel } from "../checkpointFormat.ts";
import { refusePointer } from "../lfsPointer.ts";

const WEIGHTS = /(^|\/)adapter_model\.(safetensors|bin)$/;
const CONFIG = "adapter_config.json";
const MAX_CONFIG_BYTES = 2 ** 20;

/** PEFT adapter: changes to a base model, which its config names. */
export default defineFormat({
  title: "PEFT adapter",
  order: 20,
  isWeights: (path) => WEIGHTS.test(path),
  match: (paths) => topLevel(paths).some((path) => WEIGHTS.test(path) || path === CONFIG),
  async open(files, name) {
    const file = topLevel(files.keys()).find((path) => WEIGHTS.test(path));
    if (file !== undefined) await refusePointer(files.get(file)!, file);
    const { base, kind } = await readConfig(files);
    const into = base === null ? "its base" : `its base, ${base},`;
    throw new EngineError(
      "unsupported-architecture",
      `${name} is a ${kind} adapter (${file ?? CONFIG}), not a whole model. Merge it into ${into} first, with peft: PeftModel.from_pretrained(base, …).merge_and_unload().save_pretrained(…). Then take the result.`,
      { model: name, file: file ?? CONFIG, ...(base === null ? {} : { base }) },
    );
  },
});

/** Base model and kind of an adapter, from its config. */
async function readConfig(files: FileTree) {
  const unknown = { base: null, kind: "LoRA" };
  const source = files.get(CONFIG);
  if (!source || source.byteLength > MAX_CONFIG_BYTES) return unknown;
  try {
    const text = new TextDecoder().decode(await readAll(source, MAX_CONFIG_BYTES));
    const config: unknown = JSON.parse(text);
    if (!isObject(config)) return unknown;
    const { base_model_name_or_path: base, peft_type: kind } = config;
    return {
      base: typeof base === "string" ? base.slice(0, 200) : null,
      kind: typeof kind === "string" && kind !== "LORA" ? kind.slice(0, 40) : "LoRA",
    };
  } catch {
    return unknown; // The sentence says enough without it.
  }
}
