import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from "yaml";
import { EngineError, type Scalar } from "../../contract/index.ts";
import { readScalar } from "./scalar.ts";

const TEXT_LIMIT = 1 << 20;
/** Values read, aliases followed: far above any recipe, far below what a nest of aliases asks for. */
const VALUE_LIMIT = 100_000;

/** One entry of a mapping, with the place of its key. */
export interface Entry {
  readonly key: string;
  readonly keyAt: Node;
  readonly value: Node | null;
}

/** A parsed text whose values are asked for one by one, so that each error has its place. */
export interface YamlText {
  readonly root: Node | null;
  /** `bad-recipe` with line and column (from 1) of the node. */
  refuse(at: Node | null, sentence: string, key?: string): never;
  /** The entries of a mapping; duplicate keys are refused. Null where the node is none. */
  entries(node: Node | null): readonly Entry[] | null;
  /** The items of a list, or null where the node is none. */
  items(node: Node | null): readonly (Node | null)[] | null;
  /** A scalar as it is meant, and as it is written; undefined where the node is none. */
  scalar(node: Node | null): { readonly value: Scalar | null; readonly text: string } | undefined;
}

/** The anchored node that each alias means: the last one of that name before it. */
function followAliases(root: Node): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const meaning = new Map<Alias, Node>();
  visit(root, {
    Alias(_, alias) {
      const node = anchors.get(alias.source);
      if (node) meaning.set(alias, node);
    },
    Value(_, node) {
      if (node.anchor) anchors.set(node.anchor, node);
    },
  });
  return meaning;
}

/**
 * Parses one YAML document of at most 1 MiB. Only its structure: every scalar stays as written, so
 * that YAML 1.1's words are decided here and not by a library's idea of them.
 */
export function readYaml(text: string): YamlText {
  if (text.length > TEXT_LIMIT) {
    throw new EngineError(
      "bad-recipe",
      `The recipe has ${text.length} characters; at most ${TEXT_LIMIT} are read.`,
      { length: text.length, limit: TEXT_LIMIT },
    );
  }
  const lines = new LineCounter();
  const fail = (offset: number, sentence: string, key?: string): never => {
    const { line, col: column } = lines.linePos(offset);
    throw new EngineError("bad-recipe", `Line ${line}, column ${column}: ${sentence}`, {
      line,
      column,
      ...(key === undefined ? {} : { key }),
    });
  };
  const parsed = parseDocument(text, {
    version: "1.1",
    schema: "failsafe",
    // Checked in `entries`: the library's own check takes the square of the number of keys.
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
  });
  const error = parsed.errors[0];
  if (error) {
    const sentence = error.message.startsWith("Maximum call stack")
      ? "the nesting is too deep."
      : `this is not valid YAML: ${error.message}.`;
    fail(error.pos[0], sentence.replace(/\.\.$/, "."));
  }

  const refuse = (at: Node | null, sentence: string, key?: string) =>
    fail(at?.range?.[0] ?? 0, sentence, key);
  const aliases = parsed.contents ? followAliases(parsed.contents) : new Map<Alias, Node>();
  let values = 0;
  const follow = (node: Node | null): Exclude<Node, Alias> | null => {
    values += 1;
    if (values > VALUE_LIMIT) refuse(node, `the recipe holds more than ${VALUE_LIMIT} values.`);
    if (!isAlias(node)) return node as Exclude<Node, Alias> | null;
    const meant = aliases.get(node);
    if (!meant || isAlias(meant)) return refuse(node, `nothing is called "${node.source}" here.`);
    return meant as Exclude<Node, Alias>;
  };

  const scalar: YamlText["scalar"] = (given) => {
    const node = follow(given);
    if (node === null) return { value: null, text: "" };
    if (!isScalar(node)) return undefined;
    const written = String(node.value ?? "");
    const tag = node.tag?.replace("tag:yaml.org,2002:", "");
    if (tag !== undefined && !["str", "int", "float", "bool", "null"].includes(tag)) {
      return refuse(given, `the tag "${node.tag}" has no meaning in a recipe.`);
    }
    const plain = tag === undefined ? node.type === "PLAIN" : tag !== "str";
    return { value: plain ? readScalar(written) : written, text: written };
  };

  const entries: YamlText["entries"] = (given) => {
    const node = follow(given);
    if (!isMap(node)) return null;
    const own = new Map<string, Entry>();
    const merged: Entry[] = [];
    for (const pair of node.items) {
      const keyAt = pair.key as Node;
      const value = pair.value as Node | null;
      const key = scalar(keyAt)?.text;
      if (key === undefined) return refuse(keyAt, "a key must be a word.");
      if (key === "<<" && isScalar(keyAt) && keyAt.type === "PLAIN") {
        for (const source of items(value) ?? [value]) {
          merged.push(...(entries(source) ?? refuse(source, `"<<" needs a mapping.`)));
        }
      } else if (own.has(key)) {
        refuse(keyAt, `"${key}" is stated twice.`, key);
      } else {
        own.set(key, { key, keyAt, value });
      }
    }
    for (const entry of merged) if (!own.has(entry.key)) own.set(entry.key, entry);
    return [...own.values()];
  };

  const items: YamlText["items"] = (given) => {
    const node = follow(given);
    return isSeq(node) ? (node.items as (Node | null)[]) : null;
  };

  return { root: parsed.contents, refuse, entries, items, scalar };
}
