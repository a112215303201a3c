import type { Node } from "yaml";
import type { Finding } from "../../contract/index.ts";
import { methods } from "../registry.ts";
import { didYouMean } from "./nearest.ts";
import type { Entry, YamlText } from "./yamlNodes.ts";

/** Reads the keys of a mapping and collects findings about those without effect. */
export interface KeyReader {
  readonly yaml: YamlText;
  readonly findings: readonly Finding[];
  readonly lines: Readonly<Record<string, number>>;
  /** Known entries by key; each unknown one becomes a finding with the nearest known key. */
  take(
    entries: readonly Entry[],
    known: readonly string[],
    where: string,
  ): ReadonlyMap<string, Entry>;
  /** Adds a warning about an entry. */
  note(entry: Entry, sentence: string): void;
  /** Records the lines of a mapping's parameters. */
  place(at: Node | null, prefix: string): void;
}

/** Whether a key is some method's parameter, written in the wrong place. */
const isParameter = (key: string) =>
  [...methods.values()].some(({ params }) => Object.hasOwn(params, key)) || key === "int8_mask";

/** Hint for an unknown key: ` Did you mean "x"?`, or where the key belongs. */
function hintFor(key: string, known: readonly string[], where: string): string {
  if (where === "" && isParameter(key)) return ` It is a parameter: state it under "parameters".`;
  return didYouMean(key, known);
}

export function createKeyReader(yaml: YamlText): KeyReader {
  const findings: Finding[] = [];
  const lines: Record<string, number> = Object.create(null);
  const note = (entry: Entry, sentence: string) => {
    const line = yaml.line(entry.keyAt);
    findings.push({ severity: "warning", code: "bad-recipe", message: sentence, line });
  };
  return {
    yaml,
    findings,
    lines,
    note,
    take(entries, known, where) {
      for (const entry of entries) {
        if (known.includes(entry.key)) continue;
        const place = where === "" ? "" : ` in ${where}`;
        const hint = hintFor(entry.key, known, where);
        note(
          entry,
          `mergekit ignores the key "${entry.key}"${place}, and so does the studio.${hint}`,
        );
      }
      return new Map(entries.map((entry) => [entry.key, entry]));
    },
    place(at, prefix) {
      for (const { key, keyAt } of yaml.entries(at) ?? []) lines[prefix + key] = yaml.line(keyAt);
    },
  };
}
