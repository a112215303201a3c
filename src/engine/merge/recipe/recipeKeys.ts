import type { Node } from "yaml";
import type { Finding } from "../../contract/index.ts";
import { methods } from "../registry.ts";
import { didYouMean } from "./nearest.ts";
import type { Entry, YamlText } from "./yamlNodes.ts";

/** Reads keys, and collects what is said of those that have no effect. */
export interface KeyReader {
  readonly yaml: YamlText;
  readonly findings: readonly Finding[];
  readonly lines: Readonly<Record<string, number>>;
  /** The known entries by key; each other one is a finding with the nearest known key. */
  take(
    entries: readonly Entry[],
    known: readonly string[],
    where: string,
  ): ReadonlyMap<string, Entry>;
  /** A warning about an entry. */
  note(entry: Entry, sentence: string): void;
  /** Remembers on which lines the parameters of a mapping stand. */
  place(at: Node | null, prefix: string): void;
}

/** Every method's parameters: one of them as a key in the wrong place is told where it belongs. */
const isParameter = (key: string) =>
  [...methods.values()].some(({ params }) => Object.hasOwn(params, key)) || key === "int8_mask";

/** ` Did you mean "x"?`, or where a key belongs that is right elsewhere. */
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
