import { expect, test } from "vitest";
import { splitDropped } from "./dropped.ts";

function split(paths: readonly string[]) {
  const { checkpoints, data } = splitDropped(
    paths.map((path) => ({ path, file: new File(["x"], path) })),
  );
  const names = (files: readonly { readonly path: string }[]) => files.map(({ path }) => path);
  return { checkpoints: names(checkpoints), data: names(data) };
}

test("loose texts are datasets", () => {
  const paths = ["a.jsonl", "b.json", "c.parquet", "d.txt", "E.JSONL"];
  expect(split(paths)).toEqual({ checkpoints: [], data: paths });
});

test("nothing of a checkpoint's folder is a dataset, not even in its sub-folders", () => {
  const paths = ["m/model.safetensors", "m/config.json", "m/notes.txt", "m/original/shapes.json"];
  expect(split(paths)).toEqual({ checkpoints: paths, data: [] });
});

test("a dataset's folder beside a checkpoint's is told apart", () => {
  const { checkpoints, data } = split(["all/m/model.safetensors", "all/texts/tales.jsonl"]);
  expect(checkpoints).toEqual(["all/m/model.safetensors"]);
  expect(data).toEqual(["all/texts/tales.jsonl"]);
});

test("the small files of a checkpoint without weights stay an import, which says what lacks", () => {
  const paths = ["m/config.json", "m/tokenizer.json", "m/merges.txt", "m/generation_config.json"];
  expect(split(paths)).toEqual({ checkpoints: paths, data: [] });
});

test("a readme in a folder of data is left alone", () => {
  const { checkpoints, data } = split(["texts/a.jsonl", "texts/README.md", "texts/README.txt"]);
  expect(checkpoints).toEqual([]);
  expect(data).toEqual(["texts/a.jsonl"]);
});

test("loose weights keep the loose texts that may be theirs", () => {
  const { checkpoints, data } = split(["model.safetensors", "chat.json", "rows.jsonl"]);
  expect(checkpoints).toEqual(["model.safetensors", "chat.json"]);
  expect(data).toEqual(["rows.jsonl"]);
});
