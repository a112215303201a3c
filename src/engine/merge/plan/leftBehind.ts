import { sortCompanions } from "../../checkpoint/companions.ts";
import { listSome } from "../../checkpoint/smallFile.ts";
import { findModule, moduleNames } from "../../checkpoint/tensorRoles/modules.ts";
import type { Finding, Recipe } from "../../contract/index.ts";
import { isObject } from "../../core/json.ts";
import type { OpenSection } from "./openSections.ts";
import { finding, type Source, type Sources } from "./sources.ts";

/** The code files that config.json names in `auto_map`; those of other repositories are loaded from there. */
function namedCode({ checkpoint }: Source): readonly string[] {
  const map = checkpoint.config?.fields.auto_map;
  if (!isObject(map)) return [];
  const classes = Object.values(map)
    .flat(2)
    .filter((value) => typeof value === "string");
  const own = classes.filter((value) => !value.includes("--"));
  return [...new Set(own.map((value) => `${value.slice(0, value.lastIndexOf("."))}.py`))];
}

/** What of the files beside the template's weights the result will not have, by reason. */
export function describeLeftBehind(template: Source, recipe: Recipe): readonly Finding[] {
  const code = recipe.copyCode === true;
  const { files } = template.checkpoint;
  const { left } = sortCompanions(template.checkpoint, { code });
  const named = namedCode(template);
  const findings: Finding[] = [];
  const about = { source: template, setting: "copy_code", items: named };
  const warn = (message: string) =>
    findings.push(finding("warning", "missing-file", message, about));
  if (named.length > 0 && !code) {
    warn(
      `config.json of "${template.key}" names code that transformers loads the model with (auto_map: ${listSome(named)}). It is not copied unless the recipe says "copy_code: true", since whoever loads the result runs it; without it the result does not load.`,
    );
  }
  const missing = named.filter((path) => !files.has(path));
  if (missing.length > 0 && code) {
    warn(
      `config.json of "${template.key}" names code that is not in its folder (auto_map: ${listSome(missing)}): the result does not load without it.`,
    );
  }
  if (named.length > 0 && code && missing.length === 0) {
    const message = `The code that config.json of "${template.key}" names is copied, as the recipe wants: ${listSome(named)}. Whoever loads the result runs it.`;
    findings.push(finding("note", "info", message, about));
  }
  const byReason = new Map<string, string[]>();
  for (const { path, why } of left) byReason.set(why, [...(byReason.get(why) ?? []), path]);
  for (const [why, paths] of byReason) {
    const message = `Not copied from "${template.key}", ${why}: ${listSome(paths)}.`;
    findings.push(finding("note", "info", message, { source: template, items: paths }));
  }
  return findings;
}

/** What a recipe's modules leave out of the result: mergekit writes the modules that are named. */
export function describeLeftOut(
  { template }: Sources,
  recipe: Recipe,
  sections: readonly OpenSection[],
): readonly Finding[] {
  if (!recipe.modules) return [];
  const made = sections.flatMap(({ module }) => {
    const found = findModule(template.checkpoint, module!);
    return found ? [...found.tensors] : [];
  });
  const known = new Set(made);
  const left = [...template.checkpoint.tensors.keys()].filter((name) => !known.has(name));
  if (left.length === 0) return [];
  const names = moduleNames(template.checkpoint).map((name) => `"${name}"`);
  const sentence = `The recipe's modules leave out ${left.length} tensors of "${template.key}", such as "${left[0]}": the result has none of them, as mergekit's. The modules of "${template.key}" are ${names.join(", ")}.`;
  return [finding("warning", "missing-tensor", sentence, { source: template, items: left })];
}
