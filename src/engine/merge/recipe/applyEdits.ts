import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  Pair,
  type ParsedNode,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { Edit, Path } from "./recipeEdits.ts";

/** Largest number of aliases that are replaced by what they stand for. */
const ALIAS_LIMIT = 10_000;

/** A document of a text, and the document as it is wanted, from which new values are taken. */
export interface Editing {
  readonly document: Document.Parsed<ParsedNode>;
  readonly wanted: Document.Parsed<ParsedNode>;
}

const keyOf = (pair: Pair) => (isScalar(pair.key) ? String(pair.key.value) : "");

/** The pair of a mapping's own key; merged ones are not its own. */
function findPair(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => keyOf(pair as Pair) === key) as Pair | undefined;
}

/** A copy of an alias's node without its anchor, so that a change of one place changes no other. */
function unshared(document: Document, node: Node | null): Node | null {
  if (!isAlias(node)) return node;
  const copy = node.resolve(document)?.clone() as Node | undefined;
  if (copy && !isAlias(copy))
    visit(copy, { Node: (_, each) => void delete (each as { anchor?: string }).anchor });
  return copy ?? null;
}

/**
 * Replaces every alias by what it stands for, and every merged mapping by its keys. False where these
 * are too many, as aliases of aliases can be.
 */
export function unshare(document: Document): boolean {
  let left = ALIAS_LIMIT;
  visit(document, {
    Alias: (_, alias) => {
      left -= 1;
      return left < 0 ? visit.BREAK : (unshared(document, alias) ?? visit.REMOVE);
    },
  });
  if (left < 0) return false;
  visit(document, {
    Map(_, map) {
      const merged = findPair(map, "<<");
      if (!merged) return;
      map.items = map.items.filter((pair) => pair !== merged);
      const sources = isSeq(merged.value) ? merged.value.items : [merged.value];
      for (const source of sources) {
        if (!isMap(source)) continue;
        for (const pair of source.items) {
          if (!findPair(map, keyOf(pair as Pair))) map.items.push(pair.clone() as never);
        }
      }
    },
  });
  visit(document, { Node: (_, each) => void delete (each as { anchor?: string }).anchor });
  return true;
}

/** A place where a value stands. */
interface Slot {
  get(): Node | null;
  set(node: Node | null): void;
}

function slotIn(container: YAMLMap | YAMLSeq, step: string | number): Slot | null {
  if (isMap(container) && typeof step === "string") {
    return {
      get: () => (findPair(container, step)?.value ?? null) as Node | null,
      set(node) {
        const pair = findPair(container, step);
        if (pair) pair.value = node;
        else container.items.push(new Pair(step, node) as never);
      },
    };
  }
  if (isSeq(container) && typeof step === "number") {
    return {
      get: () => (container.items[step] ?? null) as Node | null,
      set(node) {
        container.items[step] = node;
      },
    };
  }
  return null;
}

/**
 * Walks to a place, through copies of shared nodes. Where the text is of another form than a path
 * says, it ends at the last place that both have: `rest` is what is left.
 */
function walk({ document }: Editing, path: Path): { slot: Slot; rest: Path } {
  let slot: Slot = {
    get: () => document.contents,
    set(node) {
      (document as Document).contents = node as never;
    },
  };
  for (const [i, step] of path.entries()) {
    const node = unshared(document, slot.get());
    if (node !== slot.get()) slot.set(node);
    const next = isMap(node) || isSeq(node) ? slotIn(node, step) : null;
    if (!next) return { slot, rest: path.slice(i) };
    slot = next;
  }
  return { slot, rest: [] };
}

function wantedAt({ wanted }: Editing, path: Path): Node | null {
  const node = path.length === 0 ? wanted.contents : wanted.getIn(path, true);
  return isNode(node) ? (node.clone() as Node) : null;
}

/** Puts a new value where an old one was, whose comments stay. */
function place(slot: Slot, node: Node | null): void {
  const old = slot.get();
  if (node && isNode(old) && !isAlias(old)) {
    if (old.comment) node.comment = old.comment;
    if (old.commentBefore) node.commentBefore = old.commentBefore;
    if (old.spaceBefore) node.spaceBefore = old.spaceBefore;
  }
  slot.set(node);
}

function applyEdit(editing: Editing, edit: Edit): void {
  const { path } = edit;
  const { slot, rest } = walk(editing, edit.kind === "delete" ? path.slice(0, -1) : path);
  if (rest.length > 0) {
    // The text states it in a shorter form, as one filter without a list: the whole of it is new.
    const known = path.slice(0, path.length - rest.length - Number(edit.kind === "delete"));
    place(slot, wantedAt(editing, known));
  } else if (edit.kind === "set") {
    place(slot, wantedAt(editing, path));
  } else if (edit.kind === "delete") {
    const node = unshared(editing.document, slot.get());
    if (node !== slot.get()) slot.set(node);
    if (isMap(node)) node.items = node.items.filter((pair) => keyOf(pair as Pair) !== path.at(-1));
  } else {
    const node = unshared(editing.document, slot.get());
    const list = wantedAt(editing, path);
    if (isSeq(node) && isSeq(list)) {
      const old = [...node.items];
      node.items = edit.items.map((from, i) => (from === null ? list.items[i] : old[from]));
      slot.set(node);
    } else {
      place(slot, list);
    }
  }
}

/** Applies changes to a document's nodes, whose comments stay. */
export function applyEdits(editing: Editing, edits: readonly Edit[]): void {
  for (const edit of edits) applyEdit(editing, edit);
}

/** Range of characters, and what replaces them. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The same changes as replacements of characters, which leave every other one as it is; null where a
 * change is more than another word or another list on one line.
 */
export function spliceEdits(
  editing: Editing,
  edits: readonly Edit[],
  wantedText: string,
): readonly Splice[] | null {
  const splices = edits.map((edit): Splice | null => {
    let old: unknown = editing.document.contents;
    for (const step of edit.path) {
      if (isMap(old) && typeof step === "string") old = findPair(old, step)?.value;
      else if (isSeq(old) && typeof step === "number") old = old.items[step];
      else return null;
    }
    const node = editing.wanted.getIn(edit.path, true);
    const inline = (each: unknown): each is Node & { range: [number, number, number] } =>
      isNode(each) &&
      !each.anchor &&
      Boolean(each.range) &&
      ((isScalar(each) && each.type !== "BLOCK_FOLDED" && each.type !== "BLOCK_LITERAL") ||
        (isSeq(each) && each.flow === true));
    if (edit.kind !== "set" || !inline(old) || !inline(node)) return null;
    return {
      start: old.range[0],
      end: old.range[1],
      text: wantedText.slice(node.range[0], node.range[1]),
    };
  });
  return splices.every((splice) => splice !== null) ? splices : null;
}
