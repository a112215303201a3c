import { type ByteSink, bytesInMemory, type FileTree, type FileTreeWriter } from "./bytes.ts";

/** A file tree in memory that can be read back: for goldens, tests and small merges. */
export interface MemoryTree extends FileTreeWriter {
  readonly sealed: boolean;
  /** Files written so far. */
  files(): FileTree;
}

/** An empty tree in memory. */
export function createMemoryTree(): MemoryTree {
  const files = new Map<string, Uint8Array<ArrayBuffer>[]>();
  let sealed = false;
  const lengthOf = (parts: readonly Uint8Array[]) =>
    parts.reduce((sum, part) => sum + part.byteLength, 0);
  return {
    get sealed() {
      return sealed;
    },
    async open(path): Promise<ByteSink> {
      const parts = files.get(path) ?? [];
      files.set(path, parts);
      return {
        get durableBytes() {
          return lengthOf(parts);
        },
        append: async (bytes) => {
          parts.push(bytes.slice());
        },
        flush: async () => {},
      };
    },
    seal: async () => {
      sealed = true;
    },
    files: () =>
      new Map(
        [...files].map(([path, parts]) => {
          const whole = new Uint8Array(lengthOf(parts));
          let at = 0;
          for (const part of parts) {
            whole.set(part, at);
            at += part.byteLength;
          }
          return [path, bytesInMemory(whole)];
        }),
      ),
  };
}
