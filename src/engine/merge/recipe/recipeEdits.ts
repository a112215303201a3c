import type { PlainValue } from "./yamlNodes.ts";

/** Place of a value in a document: keys of mappings and indices of lists. */
export type Path = readonly (string | number)[];

/** One change of a document. */
export type Edit =
  /** The value at `path` becomes that of the wanted document, whether or not there was one. */
  | { readonly kind: "set"; readonly path: Path }
  | { readonly kind: "delete"; readonly path: Path }
  /** The list at `path` gets these items: old ones by their index, null for one of the wanted list. */
  | { readonly kind: "arrange"; readonly path: Path; readonly items: readonly (number | null)[] };

type Mapping = Readonly<Record<string, PlainValue>>;

const isList = (value: PlainValue | undefined): value is readonly PlainValue[] =>
  Array.isArray(value);
const isMapping = (value: PlainValue | undefined): value is Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isSame = (a: PlainValue | undefined, b: PlainValue | undefined) =>
  JSON.stringify(a) === JSON.stringify(b);

/** Model that an entry of a list names; undefined for other entries. */
const modelOf = (value: PlainValue) => (isMapping(value) ? value.model : undefined);

/** For each wanted item the old one that it comes from: the same, else one of the same model. */
function matchItems(old: readonly PlainValue[], wanted: readonly PlainValue[]) {
  const free = new Set(old.keys());
  const take = (fits: (item: PlainValue) => boolean): number | null => {
    for (const i of free) {
      if (!fits(old[i]!)) continue;
      free.delete(i);
      return i;
    }
    return null;
  };
  const same = wanted.map((item) => take((each) => isSame(each, item)));
  return same.map((found, i) => {
    const model = modelOf(wanted[i]!);
    return found ?? (model === undefined ? null : take((each) => modelOf(each) === model));
  });
}

function findListEdits(
  old: readonly PlainValue[],
  wanted: readonly PlainValue[],
  path: Path,
): readonly Edit[] {
  if (old.length === wanted.length) {
    return wanted.flatMap((value, i) => findEdits(old[i], value, [...path, i]));
  }
  if (![...old, ...wanted].every(isMapping)) return [{ kind: "set", path }];
  const items = matchItems(old, wanted);
  const within = items.flatMap((from, i) =>
    from === null ? [] : findEdits(old[from], wanted[i]!, [...path, i]),
  );
  return [{ kind: "arrange", path, items }, ...within];
}

/**
 * Changes that make a document of one that holds `old` hold `wanted`, the smallest that there are:
 * what is the same on both sides is not touched. Later paths are those after the earlier changes.
 */
export function findEdits(
  old: PlainValue | undefined,
  wanted: PlainValue,
  path: Path = [],
): readonly Edit[] {
  if (isSame(old, wanted)) return [];
  if (isList(old) && isList(wanted)) return findListEdits(old, wanted, path);
  if (!isMapping(old) || !isMapping(wanted)) return [{ kind: "set", path }];
  const gone = Object.keys(old).filter((key) => !Object.hasOwn(wanted, key));
  return [
    ...gone.map((key): Edit => ({ kind: "delete", path: [...path, key] })),
    ...Object.entries(wanted).flatMap(([key, value]) =>
      findEdits(Object.hasOwn(old, key) ? old[key] : undefined, value, [...path, key]),
    ),
  ];
}
