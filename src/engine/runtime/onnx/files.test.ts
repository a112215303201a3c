import { expect, test } from "vitest";
import { type ByteSource, bytesInMemory, type FileTree } from "../../core/bytes.ts";
import { readOnnxFiles } from "./files.ts";
import { encodeModel, externalTensor } from "./testGraph.ts";

const plain = bytesInMemory(encodeModel([]));
const withData = (location: string) => bytesInMemory(encodeModel([], [externalTensor(location)]));
const tree = (files: Readonly<Record<string, ByteSource>>): FileTree =>
  new Map(Object.entries(files));
const weights = bytesInMemory(Uint8Array.of(1, 2, 3));
const read = (files: Readonly<Record<string, ByteSource>>, path?: string) =>
  readOnnxFiles(tree(files), "m", path === undefined ? {} : { path });

test("weights lie beside the graph that names them", async () => {
  const files = {
    "onnx/model.onnx": withData("w_1.bin"),
    "onnx/w_1.bin": weights,
    "w_1.bin": plain,
  };
  const { external } = await read(files);
  expect(external).toEqual([{ path: "w_1.bin", data: Uint8Array.of(1, 2, 3) }]);
});

test("onnx/model.onnx comes first, another is read when it is asked for or the only one", async () => {
  const marked = bytesInMemory(encodeModel([["a", "Sin"]]));
  const several = { "model.onnx": plain, "onnx/model.onnx": marked, "onnx/model_fp16.onnx": plain };
  expect((await read(several)).facts.trigonometry).toEqual(["a"]);
  expect((await read(several, "onnx/model_fp16.onnx")).facts.trigonometry).toEqual([]);
  expect((await read({ "decoder.onnx": marked })).facts.trigonometry).toEqual(["a"]);
});

test.each([
  ["no graph", {}, "missing-file", /no onnx\/model\.onnx or model\.onnx\. Export/],
  [
    "two graphs of other names",
    { "a.onnx": plain, "b.onnx": plain },
    "missing-file",
    /a\.onnx, b\.onnx/,
  ],
  ["weights that are not there", { "model.onnx": withData("w") }, "missing-file", /"w"/],
  [
    "weights outside of the folder",
    { "onnx/model.onnx": withData("../w"), w: weights },
    "missing-file",
    /"onnx\/\.\.\/w"/,
  ],
  [
    "an absolute path",
    { "model.onnx": withData("/etc/passwd"), "etc/passwd": weights },
    "missing-file",
    /passwd/,
  ],
])("%s: refused", async (_, files, code, message) => {
  await expect(read(files)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});

test("a Git-LFS pointer is told apart", async () => {
  const text = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 5000\n`;
  const pointer = bytesInMemory(new TextEncoder().encode(text));
  await expect(read({ "model.onnx": pointer })).rejects.toMatchObject({ code: "lfs-pointer" });
  const beside = { "model.onnx": withData("w"), w: pointer };
  await expect(read(beside)).rejects.toMatchObject({ code: "lfs-pointer" });
});

test("files that ONNX Runtime could not hold are refused before they are read", async () => {
  const never = (byteLength: number): ByteSource => ({
    byteLength,
    read: () => Promise.reject(new Error("was read")),
  });
  const two = bytesInMemory(encodeModel([], [externalTensor("v"), externalTensor("w")]));
  await expect(read({ "model.onnx": never(2 ** 31) })).rejects.toMatchObject({ code: "usage" });
  await expect(read({ "model.onnx": never(2 ** 31 - 1) })).rejects.toThrow("was read");
  const large = { "model.onnx": two, v: never(2 ** 31 - 1), w: never(2 ** 31 - 1) };
  await expect(read(large)).rejects.toThrow(/have 4294967.* bytes together/);
  const beside = { "model.onnx": never(2 ** 31), "model_q4.onnx": plain };
  await expect(read(beside)).rejects.toThrow(
    /There is model_q4\.onnx as well.* without model\.onnx/,
  );
  const one = { "model.onnx": two, v: never(2 ** 31 - 1), w: never(2 ** 30) };
  await expect(read(one)).rejects.toThrow("was read");
});
