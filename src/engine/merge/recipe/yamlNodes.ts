import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseAllDocuments,
  visit,
  type YAMLMap,
  type YAMLParseError,
} from "yaml";
import { EngineError, type Scalar } from "../../contract/index.ts";
import { shorten } from "../../core/json.ts";
import { readScalar } from "./scalar.ts";

const TEXT_LIMIT = 1 << 20;
/**
 * Largest number of values read with aliases expanded: far above any recipe, far below nested
 * aliases.
 */
const VALUE_LIMIT = 100_000;
/** Largest number of keys in one mapping: enough for settings of every layer by name. */
const KEY_LIMIT = 10_000;
/** Largest nesting of aliases and mappings. */
const DEPTH_LIMIT = 64;
/** Largest number of documents in a text: merges whose results are inputs of others. */
const DOCUMENT_LIMIT = 100;
const TAGS = ["str", "int", "float", "bool", "null", "seq", "map"];

/** A value without its position in the text. */
export type PlainValue = Scalar | null | readonly PlainValue[] | PlainMapping;
export interface PlainMapping {
  readonly [key: string]: PlainValue;
}

/** An entry of a mapping, with the position of its key. */
export interface Entry {
  readonly key: string;
  readonly keyAt: Node;
  readonly value: Node | null;
}

/** A parsed YAML text whose values are read one by one, so that each error has a position. */
export interface YamlText {
  readonly root: Node | null;
  /** `bad-recipe` with line and column (from 1) of the node. */
  refuse(at: Node | null, sentence: string, key?: string): never;
  /** The line of the node, from 1. */
  line(at: Node | null): number;
  /** The entries of a mapping; duplicate keys are refused. Null where the node is none. */
  entries(node: Node | null): readonly Entry[] | null;
  /** Items of a list; null where the node is none. */
  items(node: Node | null): readonly (Node | null)[] | null;
  /** Scalar as its value and as its text; undefined where the node is none. */
  scalar(node: Node | null): { readonly value: Scalar | null; readonly text: string } | undefined;
  /** Value of a node with everything below it. */
  plain(node: Node | null): PlainValue;
}

/**
 * Anchored node of each alias: the last anchor of that name before it. An alias within its own
 * anchor is passed to `refuse`.
 */
function followAliases(
  root: Node,
  refuse: (at: Alias, sentence: string) => never,
): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const meaning = new Map<Alias, Node>();
  visit(root, {
    Alias(_, alias, path) {
      const node = anchors.get(alias.source);
      if (!node) return;
      if (path.includes(node)) refuse(alias, `"${alias.source}" contains itself.`);
      meaning.set(alias, node);
    },
    Value(_, node) {
      if (node.anchor) anchors.set(node.anchor, node);
    },
  });
  return meaning;
}

/** Sentence for an error of the YAML parser. */
function describeProblem({ message }: YAMLParseError): string {
  if (message.startsWith("Maximum call stack")) return "the nesting is too deep.";
  return `this is not valid YAML: ${message}.`.replace(/\.\.$/, ".");
}

/** Whether there is anything between two marks of documents. */
const holdsSomething = (contents: ParsedNode | null) =>
  contents !== null && !(isScalar(contents) && contents.type === "PLAIN" && contents.source === "");

/** Throws `bad-recipe` with line, column and key for a place in the text. */
type Fail = (offset: number, sentence: string, key?: string) => never;

/**
 * Parses a YAML text of at most 1 MiB into its documents, without those that hold nothing; structure
 * only: scalars stay text, so that YAML 1.1's words are interpreted here and not by the library.
 * `bad-recipe` with line and column; time is linear in the text's length, whatever its aliases expand
 * to.
 */
export function readDocuments(text: string): readonly YamlText[] {
  if (text.length > TEXT_LIMIT) {
    throw new EngineError(
      "bad-recipe",
      `Line 1, column 1: the file has ${text.length} characters; at most ${TEXT_LIMIT} are read.`,
      { line: 1, column: 1, length: text.length, limit: TEXT_LIMIT },
    );
  }
  const lines = new LineCounter();
  const fail: Fail = (offset, sentence, key) => {
    const { line, col: column } = lines.linePos(offset);
    throw new EngineError("bad-recipe", `Line ${line}, column ${column}: ${shorten(sentence)}`, {
      line,
      column,
      ...(key === undefined ? {} : { key: key.slice(0, 120) }),
    });
  };
  const parsed = parseAllDocuments(text, {
    version: "1.1",
    schema: "failsafe",
    // Checked in `entries`: the library's own check takes the square of the number of keys.
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
  });
  const problem = [...parsed].flatMap(({ errors }) => errors)[0];
  if (problem) fail(problem.pos[0], describeProblem(problem));
  const full = [...parsed].filter(({ contents }) => holdsSomething(contents));
  if (full.length > DOCUMENT_LIMIT) {
    const at = full[DOCUMENT_LIMIT]?.contents?.range?.[0] ?? 0;
    fail(at, `the file has ${full.length} documents; at most ${DOCUMENT_LIMIT} are read.`);
  }
  return full.map((document) => readDocument(document, lines, fail));
}

/** The one document of a YAML text; `bad-recipe` for a second one, and as `readDocuments`. */
export function readYaml(text: string): YamlText {
  const [first, second] = readDocuments(text);
  second?.refuse(second.root, "a second document starts here. This file may hold one.");
  return first ?? readDocuments("~")[0]!; // a text of nothing is YAML's null
}

function readDocument(
  parsed: Document.Parsed<ParsedNode>,
  lines: LineCounter,
  fail: Fail,
): YamlText {
  const refuse = (at: Node | null, sentence: string, key?: string) =>
    fail(at?.range?.[0] ?? 0, sentence, key);
  const aliases = parsed.contents ? followAliases(parsed.contents, refuse) : new Map<Alias, Node>();
  let values = 0;
  const follow = (node: Node | null): Exclude<Node, Alias> | null => {
    values += 1;
    if (values > VALUE_LIMIT) refuse(node, `the file holds more than ${VALUE_LIMIT} values.`);
    const meant = isAlias(node) ? aliases.get(node) : node;
    if (isAlias(node) && !meant) return refuse(node, `nothing is called "${node.source}" here.`);
    const tag = meant?.tag?.replace("tag:yaml.org,2002:", "");
    if (tag !== undefined && !TAGS.includes(tag)) {
      return refuse(node, `the tag "${meant?.tag}" has no meaning here.`);
    }
    return meant as Exclude<Node, Alias> | null;
  };

  const scalar: YamlText["scalar"] = (given) => {
    const node = follow(given);
    if (node === null) return { value: null, text: "" };
    if (!isScalar(node)) return undefined;
    const written = String(node.value ?? "");
    const tag = node.tag?.replace("tag:yaml.org,2002:", "");
    const plain = tag === undefined ? node.type === "PLAIN" : tag !== "str";
    return { value: plain ? readScalar(written) : written, text: written };
  };

  const ownEntries = (node: YAMLMap): readonly (Entry & { readonly merges: boolean })[] => {
    if (node.items.length > KEY_LIMIT) {
      refuse(node, `this mapping has ${node.items.length} keys; at most ${KEY_LIMIT} are read.`);
    }
    return node.items.map((pair) => {
      const keyAt = pair.key as Node;
      const key = scalar(keyAt)?.text ?? refuse(keyAt, "a key must be a word.");
      const merges = key === "<<" && isScalar(keyAt) && keyAt.type === "PLAIN";
      return { key, keyAt, value: pair.value as Node | null, merges };
    });
  };

  /**
   * Adds the entries of a mapping and of its merge keys, without replacing those that are there.
   */
  const collect = (at: Node | null, into: Map<string, Entry>, depth: number): void => {
    if (depth > DEPTH_LIMIT) refuse(at, `more than ${DEPTH_LIMIT} mappings are merged in a row.`);
    const given = follow(at);
    const node = isMap(given) ? given : refuse(at, `"<<" needs a mapping.`);
    const stated = new Set<string>();
    const all = ownEntries(node);
    for (const { merges, ...entry } of all) {
      if (merges) continue;
      if (stated.has(entry.key)) refuse(entry.keyAt, `"${entry.key}" is stated twice.`, entry.key);
      stated.add(entry.key);
      if (!into.has(entry.key)) into.set(entry.key, entry);
    }
    for (const { merges, value } of all) {
      if (!merges) continue;
      for (const source of items(value) ?? [value]) collect(source, into, depth + 1);
    }
  };

  const entries: YamlText["entries"] = (given) => {
    if (!isMap(follow(given))) return null;
    const found = new Map<string, Entry>();
    collect(given, found, 0);
    return [...found.values()];
  };

  const items: YamlText["items"] = (given) => {
    const node = follow(given);
    return isSeq(node) ? (node.items as (Node | null)[]) : null;
  };

  const plainAt = (node: Node | null, depth: number): PlainValue => {
    if (depth > DEPTH_LIMIT) refuse(node, `the nesting is deeper than ${DEPTH_LIMIT}.`);
    const list = items(node);
    if (list) return list.map((item) => plainAt(item, depth + 1));
    const mapping = entries(node);
    if (!mapping) return scalar(node)!.value;
    // fromEntries defines properties, so a key called __proto__ is one like any other.
    return Object.fromEntries(mapping.map(({ key, value }) => [key, plainAt(value, depth + 1)]));
  };

  return {
    root: parsed.contents,
    refuse,
    line: (at) => lines.linePos(at?.range?.[0] ?? 0).line,
    entries,
    items,
    scalar,
    plain: (node) => plainAt(node, 0),
  };
}
