import {
  findEmbedding,
  findHead,
  HEADLESS,
  isTied,
  PREDICTS_TOKENS,
} from "../../checkpoint/tensorRoles/head.ts";
import { isHead } from "../../checkpoint/tensorRoles/role.ts";
import type { Finding } from "../../contract/index.ts";
import type { OutputTensor } from "./outputTensor.ts";
import { finding, type Source } from "./sources.ts";

const hasHead = ({ checkpoint }: Source) => findHead(checkpoint) !== null;

/** True where the result stores a head, so that its config.json may not tie it to the embedding. */
export function becomesUntied(outputs: readonly OutputTensor[], template: Source): boolean {
  return isTied(template.checkpoint) && outputs.some(({ name }) => isHead(name));
}

function describeTied(source: Source, consequence: string): Finding {
  const { key } = source;
  const sentence = hasHead(source)
    ? `"${key}" ties its head to its embedding by config.json, yet stores a head that differs: the stored one is merged, and ${consequence}.`
    : `"${key}" ties its head to its embedding, others have a head of their own: its embedding stands in for its head, and ${consequence}.`;
  return finding("warning", "mismatch", sentence, { source });
}

/** What will happen to the language-model head: tied, stored twice, a head of its own or none. */
export function compareHeads(
  sources: readonly Source[],
  outputs: readonly OutputTensor[],
): readonly Finding[] {
  const repeated = sources.filter(({ repeatsEmbedding }) => repeatsEmbedding);
  const findings = repeated.map((source) => {
    const sentence = `"${source.key}" stores its tied head beside the embedding, number for number: it is not written a second time.`;
    return finding("note", "info", sentence, { source });
  });
  const [template] = sources as readonly [Source, ...Source[]];
  const tied = sources.filter(({ checkpoint }) => isTied(checkpoint));
  if (outputs.some(({ name }) => isHead(name))) {
    const changed = becomesUntied(outputs, template) ? " (tie_word_embeddings becomes false)" : "";
    const consequence = `the result has a head of its own${changed}`;
    return [...findings, ...tied.map((source) => describeTied(source, consequence))];
  }
  const { architecture } = template.checkpoint.config ?? {};
  if (HEADLESS.test(architecture ?? "")) return findings;
  if (tied.includes(template) && findEmbedding(template.checkpoint)) {
    const message = "The models tie the head to the embedding, and so does the result.";
    return [...findings, finding("note", "info", message)];
  }
  if (!PREDICTS_TOKENS.test(architecture ?? "")) return findings;
  const sentence = `"${template.key}" is a ${architecture}, but no model has a head, and config.json does not tie it to the embedding: the result cannot predict tokens until it has one. Is a shard missing?`;
  return [...findings, finding("warning", "missing-tensor", sentence, { source: template })];
}
