/** A folder in memory behind the browser's own interface: for tests of exports. */
export interface MemoryFolder {
  readonly handle: FileSystemDirectoryHandle;
  /** Every finished file's bytes by path. */
  files(): Record<string, Uint8Array>;
}

interface Faults {
  /** Called before each write; what it throws, the write fails with. */
  onWrite?(path: string, bytes: Uint8Array): void;
  /** Ask the browser: may we write here? */
  readonly permission?: PermissionState;
  /** True: with synchronous handles, as private folders in a Worker have. */
  readonly sync?: boolean;
}

type Node = Map<string, Node | Uint8Array<ArrayBuffer>>;

const missing = () => new DOMException("not found", "NotFoundError");

/** Makes an empty folder. */
export function folderInMemory(name: string, faults: Faults = {}): MemoryFolder {
  const root: Node = new Map();

  function fileHandle(node: Node, file: string, path: string) {
    const write = (bytes: Uint8Array, at: number) => {
      faults.onWrite?.(path, bytes);
      const before = node.get(file) as Uint8Array;
      const after = new Uint8Array(Math.max(before.length, at + bytes.length));
      after.set(before);
      after.set(bytes, at);
      return after;
    };
    const createWritable = async () => {
      let content = new Uint8Array(0);
      return {
        async write(bytes: Uint8Array) {
          faults.onWrite?.(path, bytes);
          content = new Uint8Array([...content, ...bytes]);
        },
        async close() {
          node.set(file, content);
        },
        abort: async () => undefined,
      };
    };
    const createSyncAccessHandle = async () => ({
      truncate: () => void node.set(file, new Uint8Array(0)),
      write(bytes: Uint8Array, { at }: { readonly at: number }) {
        node.set(file, write(bytes, at));
        return bytes.length;
      },
      flush: () => undefined,
      close: () => undefined,
    });
    return faults.sync ? { createWritable, createSyncAccessHandle } : { createWritable };
  }

  function directory(node: Node, own: string, path: string): FileSystemDirectoryHandle {
    const get = (child: string, fresh: Node | Uint8Array<ArrayBuffer>, create?: boolean) => {
      if (!node.has(child) && !create) throw missing();
      const found = node.get(child) ?? fresh;
      if (found instanceof Map !== fresh instanceof Map) {
        throw new DOMException("other kind", "TypeMismatchError");
      }
      node.set(child, found);
      return found;
    };
    const handle = {
      kind: "directory",
      name: own,
      queryPermission: async () => faults.permission ?? "granted",
      async getDirectoryHandle(child: string, { create = false } = {}) {
        return directory(get(child, new Map(), create) as Node, child, `${path}${child}/`);
      },
      async getFileHandle(child: string, { create = false } = {}) {
        get(child, new Uint8Array(0), create);
        return fileHandle(node, child, path + child);
      },
      async removeEntry(child: string) {
        if (!node.delete(child)) throw missing();
      },
      async *keys() {
        yield* node.keys();
      },
    };
    return handle as unknown as FileSystemDirectoryHandle;
  }

  function list(node: Node, path: string): [string, Uint8Array][] {
    return [...node].flatMap(([child, content]) =>
      content instanceof Map ? list(content, `${path}${child}/`) : [[path + child, content]],
    );
  }
  return { handle: directory(root, name, ""), files: () => Object.fromEntries(list(root, "")) };
}
