import { type Document, isMap, type ParsedNode, parseAllDocuments } from "yaml";
import { EngineError, type Recipe } from "../../contract/index.ts";
import { applyEdits, type Editing, spliceEdits, unshare } from "./applyEdits.ts";
import { formatRecipe } from "./formatRecipe.ts";
import { parseRecipe } from "./parseRecipe.ts";
import { type Edit, findEdits } from "./recipeEdits.ts";
import { documentsOf } from "./stages.ts";
import { readYaml } from "./yamlNodes.ts";

const PARSING = { version: "1.1", schema: "failsafe", uniqueKeys: false } as const;
const parse = (text: string) =>
  [...parseAllDocuments(text, PARSING)] as Document.Parsed<ParsedNode>[];

/** The keys that state a vocabulary: a recipe has one of them. */
const TOKENIZER = ["tokenizer", "tokenizer_source"];

/** The same recipe without its stages, and alone in a text. */
const alone = ({ stages: _, ...recipe }: Recipe): Recipe => recipe;

/** Place of the document with a name, or of the one without, among those of a text. */
function findDocument(
  documents: readonly Document.Parsed<ParsedNode>[],
  name: string | null,
): number {
  const full = documents.filter(({ contents }) => isMap(contents));
  const named = full.find((document) => (document.get("name") ?? null) === name);
  // Alone, a document's name has no meaning.
  const found = full.length === 1 ? full[0] : named;
  return found ? documents.indexOf(found) : -1;
}

/** Layout of a text that its documents are written in again. */
function layoutOf(text: string) {
  const indent = /\n( +)\S/.exec(text)?.[1]?.length ?? 2;
  return {
    lineWidth: 0,
    indent: Math.min(Math.max(indent, 2), 8),
    indentSeq: !/\n( *)[\w"'-]+:[^\S\n]*(#.*)?\n\1- /.test(`\n${text}`),
    flowCollectionPadding: /\{ \S/.test(text),
  };
}

/** Changes of a document, where the text may state its vocabulary by the other of two keys. */
function editsOf({ document }: Editing, before: Recipe, recipe: Recipe): readonly Edit[] {
  const plain = (each: Recipe) => {
    const yaml = readYaml(formatRecipe(alone(each)));
    return yaml.plain(yaml.root);
  };
  const edits = findEdits(plain(before), plain(recipe));
  const moved = edits.filter(({ path }) => TOKENIZER.includes(String(path[0])));
  if (moved.length === 0) return edits;
  const stated = TOKENIZER.filter((key) => document.hasIn([key]));
  const wanted = moved.find(({ kind }) => kind !== "delete")?.path[0];
  return [
    ...edits.filter((edit) => !moved.includes(edit)),
    ...stated.map((key): Edit => ({ kind: "delete", path: [key] })),
    ...(wanted === undefined ? [] : [{ kind: "set", path: [wanted] } as const]),
  ];
}

type Way = "splice" | "nodes" | "unshared nodes";

/** One document changed in one way; null where that way does not do. */
function editDocument(
  text: string,
  at: number,
  { before, recipe }: { readonly before: Recipe; readonly recipe: Recipe },
  way: Way,
): string | null {
  const document = parse(text)[at]!;
  const wantedText = formatRecipe(alone(recipe));
  const editing: Editing = { document, wanted: parse(wantedText)[0]! };
  const edits = editsOf(editing, before, recipe);
  if (edits.length === 0) return text;
  if (way === "splice") {
    const splices = spliceEdits(editing, edits, wantedText);
    return (
      splices
        ?.toSorted((a, b) => b.start - a.start)
        .reduce(
          (done, { start, end, text: new_ }) => done.slice(0, start) + new_ + done.slice(end),
          text,
        ) ?? null
    );
  }
  if (way === "unshared nodes" && !unshare(document)) return null;
  applyEdits(editing, edits);
  const [start, , end] = document.range;
  const written = document.toString(layoutOf(text.slice(start, end)));
  return text.slice(0, start) + written + text.slice(end);
}

/** All documents changed in one way; null where that way does not do. */
function editAll(text: string, before: Recipe, recipe: Recipe, way: Way): string | null {
  const old = documentsOf(before);
  const wanted = documentsOf(recipe);
  if (old.length !== wanted.length || old.some(({ name }, i) => name !== wanted[i]!.name))
    return null;
  let edited: string | null = text;
  for (const [i, { name, recipe: own }] of wanted.entries()) {
    if (edited === null) return null;
    const at = findDocument(parse(edited), name);
    if (at < 0) return null;
    edited = editDocument(edited, at, { before: old[i]!.recipe, recipe: own }, way);
  }
  return edited;
}

function says(text: string | null, recipe: string): text is string {
  try {
    return text !== null && formatRecipe(parseRecipe(text).recipe) === recipe;
  } catch (error) {
    if (error instanceof EngineError) return false;
    throw error;
  }
}

/**
 * A recipe's text, changed so that it says `recipe`: what did not change keeps its characters, and a
 * comment stays with its value. Where the text is no recipe, or cannot be changed so, it is written
 * anew by `formatRecipe`. The result always reads as `recipe`.
 */
export function editRecipe(text: string, recipe: Recipe): string {
  const wanted = formatRecipe(recipe);
  let before: Recipe;
  try {
    before = parseRecipe(text).recipe;
  } catch (error) {
    if (error instanceof EngineError) return wanted;
    throw error;
  }
  if (formatRecipe(before) === wanted) return text;
  for (const way of ["splice", "nodes", "unshared nodes"] as const) {
    const edited = editAll(text, before, recipe, way);
    if (says(edited, wanted)) return edited;
  }
  return wanted;
}
