import { sortCompanions } from "../../checkpoint/companions.ts";
import { listSome } from "../../checkpoint/smallFile.ts";
import type { Finding, Recipe } from "../../contract/index.ts";
import { isObject } from "../../core/json.ts";
import { finding, type Source } from "./sources.ts";

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
