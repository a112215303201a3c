import { EngineError } from "../contract/index.ts";
import { type ByteSource, readAll } from "../core/bytes.ts";

/** Hash and size of the file that a Git-LFS pointer stands for. */
interface LfsPointer {
  readonly oid: string;
  readonly byteLength: number;
}

/** Largest pointer file in bytes (git-lfs's own limit is 1024). */
export const LFS_POINTER_MAX_BYTES = 1024;

const ascii = new TextDecoder("latin1");

/** Parses a small file as a Git-LFS pointer; null for anything else. */
export function readLfsPointer(bytes: Uint8Array): LfsPointer | null {
  if (bytes.byteLength > LFS_POINTER_MAX_BYTES) return null;
  const text = ascii.decode(bytes);
  if (!text.startsWith("version https://git-lfs.github.com/spec/")) return null;
  const oid = /^oid (\S{1,100})$/m.exec(text)?.[1] ?? "unknown";
  const size = Number(/^size (\d{1,15})$/m.exec(text)?.[1] ?? Number.NaN);
  return { oid, byteLength: Number.isSafeInteger(size) ? size : 0 };
}

/** Error that names a pointer file and says how to get the file itself. */
function lfsPointerError(file: string, { oid, byteLength }: LfsPointer): EngineError {
  return new EngineError(
    "lfs-pointer",
    `${file} is not the file itself but a Git-LFS pointer to ${byteLength} bytes (${oid}). Run \`git lfs pull\` in that folder, or download the real file, and drop it again.`,
    { file, oid, byteLength },
  );
}

/** Throws `lfs-pointer` where a file is a Git-LFS pointer. */
export async function refusePointer(source: ByteSource, file: string): Promise<void> {
  if (source.byteLength > LFS_POINTER_MAX_BYTES) return;
  const pointer = readLfsPointer(await readAll(source, LFS_POINTER_MAX_BYTES));
  if (pointer) throw lfsPointerError(file, pointer);
}
