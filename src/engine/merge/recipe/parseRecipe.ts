import type { Finding, ParsedRecipe, RecipeStage } from "../../contract/index.ts";
import { type RecipeDocument, readDocument } from "./readDocument.ts";
import { namesIn } from "./stages.ts";
import { readDocuments, readYaml } from "./yamlNodes.ts";

/** Names by document; `bad-recipe` for one that two have, or for two without one. */
function nameDocuments(documents: readonly RecipeDocument[]): ReadonlyMap<string, RecipeDocument> {
  const named = new Map<string, RecipeDocument>();
  let unnamed: RecipeDocument | undefined;
  for (const document of documents) {
    const { yaml, name, at } = document;
    if (name === null) {
      const sentence = `two documents have no "name": one is the result, every other needs a name by which later ones use it.`;
      if (unnamed) yaml.refuse(at, sentence, "name");
      unnamed = document;
    } else {
      if (named.has(name)) yaml.refuse(at, `two documents are called "${name}".`, "name");
      named.set(name, document);
    }
  }
  return named;
}

/** The documents that one needs, each behind those that it needs itself; `bad-recipe` for a circle. */
function orderStages(
  result: RecipeDocument,
  named: ReadonlyMap<string, RecipeDocument>,
): readonly RecipeDocument[] {
  const ordered: RecipeDocument[] = [];
  const visit = (document: RecipeDocument, above: readonly RecipeDocument[]) => {
    const { yaml, at, recipe } = document;
    if (above.includes(document)) {
      const circle = [...above.slice(above.indexOf(document)), document];
      const names = circle.map(({ name }) => `"${name}"`).join(" needs ");
      yaml.refuse(at, `these merges need each other: ${names}.`, "name");
    }
    if (ordered.includes(document)) return;
    for (const name of namesIn(recipe)) {
      const needed = named.get(name);
      if (needed) visit(needed, [...above, document]);
    }
    ordered.push(document);
  };
  visit(result, []);
  return ordered.slice(0, -1);
}

/** The document that is the result: the one without a name, else the last that no other needs. */
function findResult(documents: readonly RecipeDocument[]): RecipeDocument {
  const needed = new Set(documents.flatMap(({ recipe }) => [...namesIn(recipe)]));
  return (
    documents.find(({ name }) => name === null) ??
    documents.findLast(({ name }) => !needed.has(name ?? "")) ??
    documents.at(-1)!
  );
}

function parseStages(documents: readonly RecipeDocument[]): ParsedRecipe {
  const result = findResult(documents);
  const stages = orderStages(result, nameDocuments(documents));
  const unused = documents.filter((each) => each !== result && !stages.includes(each));
  const left = unused.map(
    ({ yaml, name, at }): Finding => ({
      severity: "warning",
      code: "bad-recipe",
      message: `No other document uses the merge "${name}": it is not made.`,
      line: yaml.line(at),
    }),
  );
  const lines = stages.flatMap(({ lines: own }, i) =>
    Object.entries(own).map(([key, line]) => [`stages.${i}.${key}`, line] as const),
  );
  return {
    recipe: {
      ...result.recipe,
      ...(stages.length > 0 && {
        stages: stages.map(({ name, recipe }): RecipeStage => ({ name: name!, recipe })),
      }),
    },
    findings: [...documents.flatMap(({ findings }) => findings), ...left],
    lines: { ...result.lines, ...Object.fromEntries(lines) },
  };
}

/**
 * Parses a recipe in mergekit's YAML as mergekit 0.1.5 does: YAML 1.1; keys that it ignores are
 * ignored with a finding. Several documents are merges that name each other's results
 * (mergekit-multi): those that the last needs become its stages. `bad-recipe` with line, column and
 * key for what the studio cannot follow.
 */
export function parseRecipe(text: string): ParsedRecipe {
  const documents = readDocuments(text);
  if (documents.length > 1)
    return parseStages(documents.map((each) => readDocument(each, "several")));
  const { recipe, findings, lines } = readDocument(documents[0] ?? readYaml(text), "one");
  return { recipe, findings, lines };
}
