import { expect, test } from "vitest";
import { sortDropped } from "./dropped.ts";

test("loose texts are datasets", () => {
  const paths = [
    "a.jsonl",
    "b.json",
    "c.parquet",
    "d.txt",
    "E.JSONL",
    "f.csv",
    "g.tsv",
    "h.csv.gz",
  ];
  expect(sortDropped(paths)).toEqual({ checkpoints: [], data: paths });
});

test("nothing of a checkpoint's folder is a dataset, not even in its sub-folders", () => {
  const paths = ["m/model.safetensors", "m/config.json", "m/notes.txt", "m/original/shapes.json"];
  expect(sortDropped(paths)).toEqual({ checkpoints: paths, data: [] });
});

test("a dataset's folder beside a checkpoint's is told apart", () => {
  const { checkpoints, data } = sortDropped(["all/m/model.safetensors", "all/texts/tales.jsonl"]);
  expect(checkpoints).toEqual(["all/m/model.safetensors"]);
  expect(data).toEqual(["all/texts/tales.jsonl"]);
});

test("the small files of a checkpoint without weights stay an import, which says what lacks", () => {
  const paths = ["m/config.json", "m/tokenizer.json", "m/merges.txt", "m/generation_config.json"];
  expect(sortDropped(paths)).toEqual({ checkpoints: paths, data: [] });
});

test("a readme in a folder of data is left alone", () => {
  const { checkpoints, data } = sortDropped([
    "texts/a.jsonl",
    "texts/README.md",
    "texts/README.txt",
  ]);
  expect(checkpoints).toEqual([]);
  expect(data).toEqual(["texts/a.jsonl"]);
});

test("loose weights keep the loose texts that may be theirs", () => {
  const { checkpoints, data } = sortDropped(["model.safetensors", "chat.json", "rows.jsonl"]);
  expect(checkpoints).toEqual(["model.safetensors", "chat.json"]);
  expect(data).toEqual(["rows.jsonl"]);
});
