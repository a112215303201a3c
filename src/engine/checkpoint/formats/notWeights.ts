import { EngineError } from "../../contract/index.ts";

/** What the first bytes of a Git-LFS pointer say of the file it stands for. */
export interface LfsPointer {
  readonly oid: string;
  readonly byteLength: number;
}

/** A pointer file is text of at most this many bytes (git-lfs's own limit is 1024). */
export const LFS_POINTER_MAX_BYTES = 1024;

const ascii = new TextDecoder("latin1");

/** The Git-LFS pointer that these bytes, a whole small file, are; null for anything else. */
export function readLfsPointer(bytes: Uint8Array): LfsPointer | null {
  if (bytes.byteLength > LFS_POINTER_MAX_BYTES) return null;
  const text = ascii.decode(bytes);
  if (!text.startsWith("version https://git-lfs.github.com/spec/")) return null;
  const oid = /^oid (\S{1,100})$/m.exec(text)?.[1] ?? "unknown";
  const size = Number(/^size (\d{1,15})$/m.exec(text)?.[1] ?? Number.NaN);
  return { oid, byteLength: Number.isSafeInteger(size) ? size : 0 };
}

/** Says that `file` is a pointer and how to get the file itself. */
export function lfsPointerError(file: string, { oid, byteLength }: LfsPointer): EngineError {
  return new EngineError(
    "lfs-pointer",
    `${file} is not the file itself but a Git-LFS pointer to ${byteLength} bytes (${oid}). Run \`git lfs pull\` in that folder, or download the real file, and drop it again.`,
    { file, oid, byteLength },
  );
}

/** Says that `file` is a pickle, which is a program, and how to convert it. */
export function pickleError(file: string): EngineError {
  const output = `${file.replace(/^.*\//, "").replace(/\.[^.]*$/, "")}.safetensors`;
  const python = `python -c "import torch; from safetensors.torch import save_file; d = torch.load(${quote(file)}, map_location='cpu', weights_only=True); save_file({k: v.contiguous().clone() for k, v in d.items()}, ${quote(output)}, metadata={'format': 'pt'})"`;
  return new EngineError(
    "pickle",
    `${file} is a PyTorch pickle: reading it would run the program inside it, so it is not opened. Convert it once, with torch and safetensors installed: ${python}`,
    { file, python },
  );
}

/** The error for a file that is no safetensors file but something well known; null otherwise. */
export function recogniseOtherFile(file: string, firstBytes: Uint8Array): EngineError | null {
  const pointer = readLfsPointer(firstBytes);
  if (pointer) return lfsPointerError(file, pointer);
  const text = ascii.decode(firstBytes.subarray(0, 16));
  const zip = text.startsWith("PK\u0003\u0004");
  const pickle = firstBytes[0] === 0x80 && firstBytes[1]! >= 2 && firstBytes[1]! <= 5;
  if (zip || pickle) return pickleError(file);
  if (text.startsWith("GGUF")) {
    return new EngineError(
      "bad-header",
      `${file} is a GGUF file. Its weights are quantised for llama.cpp; drop the model's safetensors files instead.`,
      { file, found: "GGUF" },
    );
  }
  if (/^\s*<(!doctype|html)/i.test(text)) {
    return new EngineError(
      "bad-header",
      `${file} is a web page, probably an error page that was saved in place of the download. Download the file again.`,
      { file, found: "HTML" },
    );
  }
  return null;
}

/** A Python string inside a shell's double quotes: anything unusual in a name becomes \x or \u. */
function quote(name: string): string {
  const safe = [...name.slice(0, 200)].map((char) =>
    /[\w./ -]/.test(char) ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `'${safe.join("")}'`;
}
