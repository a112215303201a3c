import { EngineError } from "../../contract/index.ts";
import { defineFormat, topLevel } from "../checkpointFormat.ts";
import { refusePointer } from "../lfsPointer.ts";
import { isTrainingState } from "../trainingState.ts";

const PICKLE = /\.(bin|pt|pth|ckpt)$/;
const INDEX = /\.bin\.index\.json$/;

/** PyTorch's old format: a pickle is a program that builds the tensors, so it is never run. */
export default defineFormat({
  title: "PyTorch pickle",
  order: 30,
  isWeights: isPickle,
  match: (paths) => topLevel(paths).some((path) => isPickle(path) || INDEX.test(path)),
  begins: (first) => isZip(first) || (first[0] === 0x80 && first[1]! >= 2 && first[1]! <= 5),
  async open(files, name) {
    const here = topLevel(files.keys());
    const file = here.find(isPickle) ?? here.find((path) => !INDEX.test(path));
    if (file === undefined) {
      throw new EngineError(
        "missing-file",
        `${name} has an index of PyTorch pickles, but none of its weight files. Download the safetensors files instead and drop the whole folder.`,
        { model: name },
      );
    }
    await refusePointer(files.get(file)!, file);
    throw pickleError(file);
  },
});

function isPickle(path: string): boolean {
  return PICKLE.test(path) && !isTrainingState(path);
}

/** Whether a file is a zip, which torch.save writes since version 1.6. */
function isZip(first: Uint8Array): boolean {
  return [0x50, 0x4b, 3, 4].every((byte, i) => first[i] === byte);
}

function pickleError(file: string): EngineError {
  const output = `${file.replace(/^.*\//, "").replace(/\.[^.]*$/, "")}.safetensors`;
  const python = `python -c "import torch; from safetensors.torch import save_file; d = torch.load(${quote(file)}, map_location='cpu', weights_only=True); save_file({k: v.contiguous().clone() for k, v in d.items()}, ${quote(output)}, metadata={'format': 'pt'})"`;
  return new EngineError(
    "pickle",
    `${file} is a PyTorch pickle: reading it would run the program inside it, so it is not opened. Convert it once, with torch and safetensors installed: ${python}`,
    { file, python },
  );
}

/** A Python string literal inside a shell's double quotes; unusual characters become \x or \u. */
function quote(name: string): string {
  const safe = [...name.slice(0, 200)].map((char) =>
    /[\w./ -]/.test(char) ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `'${safe.join("")}'`;
}
