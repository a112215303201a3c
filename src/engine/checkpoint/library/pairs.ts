import { EngineError, type ModelCard, type ModelId } from "../../contract/index.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { applyAdapter } from "../views/adapter.ts";
import type { LibraryReader } from "./library.ts";

/** A model with an adapter behind it, which may be such a pair itself. */
interface Pair {
  readonly base: ModelCard;
  readonly adapter: ModelCard;
}

type Find = (key: string) => Promise<ModelCard | undefined>;

/**
 * Splits `base+adapter` at the last "+" that leaves a model and an adapter, with `find` for what is
 * there under a name or id; undefined where none does.
 */
async function findPair(key: string, find: Find): Promise<Pair | undefined> {
  for (let at = key.lastIndexOf("+"); at > 0; at = key.lastIndexOf("+", at - 1)) {
    const adapter = await find(key.slice(at + 1).trim());
    if (!adapter) continue;
    const rest = key.slice(0, at).trim();
    const base = (await find(rest)) ?? cardOf(await findPair(rest, find));
    if (base) return { base, adapter };
  }
  return undefined;
}

/** Which part of `base+adapter` is not there; the whole name where neither is, or it is no pair. */
export async function findLacking(name: string, find: Find): Promise<string> {
  for (let at = name.lastIndexOf("+"); at > 0; at = name.lastIndexOf("+", at - 1)) {
    const [base, adapter] = [name.slice(0, at).trim(), name.slice(at + 1).trim()];
    if (await find(adapter)) return findLacking(base, find);
    if (await find(base)) return adapter;
  }
  return name;
}

/** Card of a model with an adapter: the base's, under both names. */
function cardOf(pair: Pair | undefined): ModelCard | undefined {
  if (!pair) return undefined;
  const { base, adapter } = pair;
  return {
    ...base,
    id: `${base.id}+${adapter.id}`,
    name: `${base.name}+${adapter.name}`,
    state: base.state === "complete" ? adapter.state : base.state,
    createdAt: adapter.createdAt,
    byteLength: base.byteLength + adapter.byteLength,
    storedBytes: base.storedBytes + adapter.storedBytes,
    pair: { base: base.id, adapter: adapter.id },
  };
}

/** Models to try an adapter on: that of the name which it states, else all. */
function basesFor({ adapter }: ModelCard, cards: readonly ModelCard[]): readonly ModelCard[] {
  const models = cards.filter((card) => !card.adapter);
  const lastPart = (name: string) => name.slice(name.lastIndexOf("/") + 1).toLowerCase();
  const stated = lastPart(adapter?.base ?? "");
  const named = models.filter(({ name }) => lastPart(name) === stated);
  return named.length > 0 ? named : models;
}

/**
 * The library, which also has every model with every adapter that fits it: under the name
 * `base+adapter`, as mergekit writes it, and an id of the two ids. A model of exactly that name, or
 * id, goes first.
 */
export function withPairs<Library extends LibraryReader>(library: Library): Library {
  const fits = new Map<ModelId, boolean>();

  const open = async ({ base, adapter }: Pair): Promise<Checkpoint> =>
    applyAdapter(await pairs.open(base.id), await library.open(adapter.id));

  const findId: Find = (id) =>
    library.card(id).catch((error: unknown) => {
      if (error instanceof EngineError && error.code === "missing-file") return undefined;
      throw error;
    });
  const pairOf = async (id: ModelId) =>
    id.includes("+") && !(await findId(id)) ? findPair(id, findId) : undefined;

  const pairs: LibraryReader = {
    async list() {
      const cards = await library.list();
      const whole = cards.filter(({ state }) => state === "complete");
      const adapters = whole.filter(({ adapter }) => adapter);
      const found: ModelCard[] = [];
      for (const adapter of adapters) {
        for (const base of basesFor(adapter, whole)) {
          const card = cardOf({ base, adapter })!;
          const does =
            fits.get(card.id) ?? (await open({ base, adapter }).then(Boolean, () => false));
          fits.set(card.id, does);
          if (does) found.push(card);
        }
      }
      return [...cards, ...found];
    },
    async card(id) {
      return cardOf(await pairOf(id)) ?? library.card(id);
    },
    async findByName(name) {
      const exact = await library.findByName(name);
      return exact ?? cardOf(await findPair(name, (part) => library.findByName(part)));
    },
    async tree(id) {
      const pair = await pairOf(id);
      return pair ? (await open(pair)).files : library.tree(id);
    },
    async open(id) {
      const pair = await pairOf(id);
      return pair ? open(pair) : library.open(id);
    },
  };
  return { ...library, ...pairs };
}
