import type { Finding } from "../../contract/index.ts";

/** What a finding says of whichever tensor: its sentence without the tensor's name and its numbers. */
function kindOf({ severity, code, model, setting, message, tensor = "" }: Finding): string {
  const sentence = message.replaceAll(`"${tensor}"`, "…").replaceAll(/\d+/g, "#");
  return JSON.stringify([severity, code, model, setting, sentence]);
}

/**
 * One finding where the same is true of many tensors: the first one's sentence, how many more there
 * are, and all of them in `items`. A model of a thousand tensors then says what is wrong once.
 */
export function foldFindings(findings: readonly Finding[]): readonly Finding[] {
  const kinds = new Map<string, Finding[]>();
  for (const [i, finding] of findings.entries()) {
    const { tensor, items } = finding;
    const kind = tensor === undefined || items ? String(i) : kindOf(finding);
    const known = kinds.get(kind);
    if (known) known.push(finding);
    else kinds.set(kind, [finding]);
  }
  return [...kinds.values()].map((alike) => {
    const [first] = alike as [Finding];
    const more = alike.length - 1;
    if (more === 0) return first;
    const message = `${first.message} The same holds for ${more} ${more === 1 ? "tensor" : "tensors"} more.`;
    return { ...first, message, items: alike.flatMap(({ tensor }) => tensor ?? []) };
  });
}
