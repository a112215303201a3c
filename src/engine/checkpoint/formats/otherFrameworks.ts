import { EngineError } from "../../contract/index.ts";
import { defineFormat, topLevel } from "../checkpointFormat.ts";
import { refusePointer } from "../lfsPointer.ts";

/** Weight files of other frameworks by ending, with the library that reads them. */
const FRAMEWORKS = [
  { ending: /\.h5$|\.keras$/i, framework: "TensorFlow", option: "from_tf=True" },
  { ending: /\.msgpack$/i, framework: "Flax", option: "from_flax=True" },
  { ending: /\.npz$/i, framework: "NumPy (as MLX saves it)", option: null },
] as const;

const find = (path: string) => FRAMEWORKS.find(({ ending }) => ending.test(path));

/** Weights of TensorFlow, Flax or MLX, which Hub repositories hold beside PyTorch's. */
export default defineFormat({
  title: "weights of another framework",
  order: 60,
  isWeights: (path) => find(path) !== undefined,
  match: (paths) => topLevel(paths).some((path) => find(path) !== undefined),
  async open(files, name) {
    const file = topLevel(files.keys()).find(find)!;
    await refusePointer(files.get(file)!, file);
    const { framework, option } = find(file)!;
    const convert = option
      ? ` Or convert them with transformers: AutoModelForCausalLM.from_pretrained(…, ${option}).save_pretrained(…).`
      : "";
    throw new EngineError(
      "unsupported-architecture",
      `${file} of ${name} holds weights of ${framework}, which are not read. Download the model's safetensors files.${convert}`,
      { model: name, file },
    );
  },
});
