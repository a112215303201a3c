import { type FactRow, type FactStore, storeFacts } from "../engine/merge/run/factStore.ts";
import { readJson, writeJson } from "./jsonFile.ts";

/** Whether JSON gives the same numbers back: it has no NaN, no infinity and no -0. */
const isExact = (value: unknown): boolean =>
  typeof value === "object" && value !== null
    ? Object.values(value).every(isExact)
    : Number.isFinite(value) && !Object.is(value, -0);

/** The tensors of a row whose numbers JSON keeps; those of the others are measured again. */
const keepExact = (row: FactRow): FactRow =>
  Object.fromEntries(Object.entries(row).filter(([, stored]) => isExact(stored)));

/** Fact store in one JSON file, which is read on first use. */
export function factsInFile(path: string): FactStore {
  let rows: Promise<Map<string, FactRow>> | undefined;
  const read = async () => {
    const stored = (await readJson<Readonly<Record<string, FactRow>>>(path)) ?? {};
    return new Map(Object.entries(stored).map(([key, row]) => [key, keepExact(row)] as const));
  };
  const all = () => (rows ??= read());
  const change = async (work: (known: Map<string, FactRow>) => void) => {
    const known = await all();
    work(known);
    await writeJson(path, Object.fromEntries(known));
  };
  return storeFacts({
    get: async (key) => (await all()).get(key),
    set: (key, row) => change((known) => known.set(key, keepExact(row))),
    keys: async () => [...(await all()).keys()],
    deleteMany: (gone) =>
      change((known) => {
        for (const key of gone) known.delete(key);
      }),
  });
}
