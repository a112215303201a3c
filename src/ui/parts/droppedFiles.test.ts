import { expect, test } from "vitest";
import { takeDroppedFiles } from "./droppedFiles.ts";

const file = (name: string) => new File(["x"], name);

function fileEntry(path: string) {
  const name = path.split("/").at(-1) ?? "";
  return {
    isFile: true,
    fullPath: `/${path}`,
    file: (resolve: (value: File) => void) => resolve(file(name)),
  };
}

/** A folder whose reader hands out its entries in batches, as browsers do. */
function folderEntry(path: string, children: readonly unknown[], batch: number) {
  return {
    isFile: false,
    fullPath: `/${path}`,
    createReader: () => {
      let next = 0;
      return {
        readEntries: (resolve: (value: readonly unknown[]) => void) => {
          next += batch;
          resolve(children.slice(next - batch, next));
        },
      };
    },
  };
}

/** A transfer that forgets its items at the first await, as browsers do. */
function transferOf(entries: readonly unknown[]): DataTransfer {
  let alive = true;
  queueMicrotask(() => {
    alive = false;
  });
  const items = entries.map((entry) => ({
    kind: "file",
    webkitGetAsEntry: () => (alive ? entry : null),
    getAsFile: () => null,
  }));
  return { items } as unknown as DataTransfer;
}

test("a folder of more entries than one batch is read to its end", async () => {
  const children = Array.from({ length: 250 }, (_, index) => fileEntry(`m/${index}.bin`));
  const found = await takeDroppedFiles(transferOf([folderEntry("m", children, 100)]));
  expect(found).toHaveLength(250);
  expect(found[249]?.path).toBe("m/249.bin");
});

test("several items survive the transfer's forgetting, and nested folders keep their paths", async () => {
  const nested = folderEntry("a", [folderEntry("a/onnx", [fileEntry("a/onnx/model.onnx")], 5)], 5);
  const found = await takeDroppedFiles(transferOf([nested, fileEntry("config.json")]));
  expect(found.map(({ path }) => path)).toEqual(["a/onnx/model.onnx", "config.json"]);
});

test("a text selection is no file", async () => {
  const transfer = { items: [{ kind: "string" }] } as unknown as DataTransfer;
  expect(await takeDroppedFiles(transfer)).toEqual([]);
});
