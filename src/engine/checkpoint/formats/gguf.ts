import { EngineError } from "../../contract/index.ts";
import { defineFormat, topLevel } from "../checkpointFormat.ts";
import { refusePointer } from "../lfsPointer.ts";

const GGUF = /\.gguf$/i;

/**
 * GGUF, llama.cpp's format: one file with weights in blocks of 4 to 8 bits, settings and tokenizer.
 */
export default defineFormat({
  title: "GGUF",
  order: 50,
  isWeights: (path) => GGUF.test(path),
  match: (paths) => topLevel(paths).some((path) => GGUF.test(path)),
  begins: (first) => new TextDecoder("latin1").decode(first.subarray(0, 4)) === "GGUF",
  async open(files) {
    const here = topLevel(files.keys());
    const file = here.find((path) => GGUF.test(path)) ?? here[0] ?? "";
    await refusePointer(files.get(file)!, file);
    throw new EngineError(
      "unsupported-architecture",
      `${file} is a GGUF file, the format of llama.cpp, which is not read yet. Take the model's safetensors files: its page on the Hub names the model that it was made from.`,
      { file, found: "GGUF" },
    );
  },
});
