import type { Finding } from "../../contract/index.ts";
import { finding, type Source } from "./sources.ts";

/** The words that all of these names begin with, with the dot behind them: `transformer.`, or "". */
function commonPrefix(names: readonly string[]): string {
  const [first = "", ...others] = names;
  let words = first.split(".").slice(0, -1);
  for (const name of others) {
    while (words.length > 0 && !name.startsWith(`${words.join(".")}.`)) words = words.slice(0, -1);
  }
  return words.length > 0 ? `${words.join(".")}.` : "";
}

const sayPrefix = (key: string, names: readonly string[]) => {
  const prefix = commonPrefix(names);
  const begin = prefix === "" ? "without a common prefix" : `with "${prefix}"`;
  return `in "${key}" they begin ${begin} ("${names[0]!.slice(0, 120)}")`;
};

/** What was matched under other names, or that hardly any name is shared: no model comes of that. */
export function compareNames(template: Source, other: Source): readonly Finding[] {
  const [ours, theirs] = [template.checkpoint.tensors, other.checkpoint.tensors];
  if (ours.size === 0 || theirs.size === 0) return [];
  const strange = [...theirs.keys()].filter((name) => !ours.has(name));
  const common = theirs.size - strange.length;
  if (2 * common < Math.min(ours.size, theirs.size)) {
    const lacking = [...ours.keys()].filter((name) => !theirs.has(name));
    const sentence = `"${other.key}" and "${template.key}" share ${common} names of ${theirs.size} and ${ours.size} tensors: ${sayPrefix(other.key, strange)}, ${sayPrefix(template.key, lacking)}. Are these one model? Then save both in one layout.`;
    return [finding("error", "mismatch", sentence, { source: other })];
  }
  if (other.checkpoint === other.stored) return [];
  const own = [...other.stored.tensors.keys()];
  const renamed = [...theirs.keys()].flatMap((name, i) => (name === own[i] ? [] : [i]));
  const at = renamed[0]!;
  const sentence = `"${other.key}" stores ${renamed.length} ${renamed.length === 1 ? "tensor" : "tensors"} under other names, such as "${own[at]}" for "${[...theirs.keys()][at]}": they are matched, and the result has the names of "${template.key}".`;
  return [finding("note", "info", sentence, { source: other })];
}
