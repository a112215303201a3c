import { type FactRow, type FactStore, storeFacts } from "../engine/merge/run/factStore.ts";
import { readJson, writeJson } from "./jsonFile.ts";

/** Fact store in one JSON file, which is read on first use. */
export function factsInFile(path: string): FactStore {
  let rows: Promise<Map<string, FactRow>> | undefined;
  const read = async () =>
    new Map(Object.entries((await readJson<Readonly<Record<string, FactRow>>>(path)) ?? {}));
  const all = () => (rows ??= read());
  const change = async (work: (known: Map<string, FactRow>) => void) => {
    const known = await all();
    work(known);
    await writeJson(path, Object.fromEntries(known));
  };
  return storeFacts({
    get: async (key) => (await all()).get(key),
    set: (key, row) => change((known) => known.set(key, row)),
    keys: async () => [...(await all()).keys()],
    deleteMany: (gone) =>
      change((known) => {
        for (const key of gone) known.delete(key);
      }),
  });
}
