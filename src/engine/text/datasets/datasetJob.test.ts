import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { openDatabase } from "../../storage/database.ts";
import { storeValues } from "../../storage/values.ts";
import { createDatasetKind } from "./datasetJob.ts";
import { openDatasets } from "./datasetLibrary.ts";
import { countRows, sampleRows } from "./sampleRows.ts";

const CONTEXT = {
  id: "job",
  state: null,
  signal: new AbortController().signal,
  save: async () => undefined,
  progress: () => undefined,
  modelsChanged: () => undefined,
};

/** A file on disk whose bytes become others of the same length. */
function changeable(before: string, after: string) {
  let changed = false;
  const file = new File([before], "a.jsonl");
  const slice: Blob["slice"] = (start, end) =>
    new Blob([changed ? after : before]).slice(start, end);
  Object.defineProperty(file, "slice", { value: slice });
  return {
    files: [{ path: "a.jsonl", file }],
    change: () => {
      changed = true;
    },
  };
}

test("a table without a known column is stored, and its columns are named", async () => {
  const database = openDatabase(new IDBFactory());
  const datasets = await openDatasets(database, storeValues(database.store("values"), 8));
  const files = [{ path: "a.csv", file: new File(["heading,essay\nA,one\nB,two\n"], "a.csv") }];
  const { notes } = await createDatasetKind({ datasets }).run({ kind: "dataset", files }, CONTEXT);
  expect(notes.join()).toContain('Its columns are "heading", "essay": name one as the text column');
  const [card] = await datasets.list();
  expect(card).toMatchObject({ rows: 0, problemCount: 2 });
  const stored = await datasets.open(card?.id ?? "");
  const { signal } = CONTEXT;
  expect(await countRows(stored, "essay", signal)).toBe(2);
  await expect(sampleRows(stored, 9, signal)).rejects.toThrow("no row that can be read");
});

test.each([
  ["is stored where it stays as it is", false],
  ["is not stored where it changes between being read and being copied", true],
])("a dataset %s", async (_, changes) => {
  const database = openDatabase(new IDBFactory());
  const datasets = await openDatasets(database, storeValues(database.store("values"), 8));
  const { files, change } = changeable('{"text":"one"}\n', '{"text":"two"}\n');
  const kind = createDatasetKind({
    datasets: {
      ...datasets,
      add(file, options) {
        if (changes) change();
        return datasets.add(file, options);
      },
    },
  });
  const run = kind.run({ kind: "dataset", files }, CONTEXT);
  if (changes) await expect(run).rejects.toMatchObject({ code: "changed" });
  else await run;
  expect((await datasets.list()).map(({ name }) => name)).toEqual(changes ? [] : ["a.jsonl"]);
});
