import { expect, test } from "vitest";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { parseConfig } from "../../checkpoint/config.ts";
import { createRandom } from "../../core/random.ts";
import { parseRecipe } from "../recipe/parseRecipe.ts";
import { checkpointOf, randomValues } from "../testCheckpoints.ts";
import { makeModel, type Tensors } from "../testModels.ts";
import { prepareMerge } from "./prepare.ts";
import { codes, plan } from "./testPlan.ts";

const EMBED = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";
const LINEAR =
  "merge_method: linear\nmodels:\n- {model: a, parameters: {weight: 1}}\n- {model: b, parameters: {weight: 1}}";

/** A model that ties its head, and stores `head` beside the embedding nevertheless. */
function tiedModel(name: string, head: "same" | "other" | null): Checkpoint {
  const random = createRandom(7);
  const values = randomValues(32, random);
  const other = randomValues(32, random);
  const embedding = { shape: [8, 4], values };
  const tensors = { [EMBED]: embedding };
  const stored = head && { [HEAD]: { shape: [8, 4], values: head === "same" ? values : other } };
  const config = parseConfig(
    '{"architectures": ["LlamaForCausalLM"], "tie_word_embeddings": true}',
    "config.json",
  );
  return { ...checkpointOf(name, { ...tensors, ...stored }), config };
}

async function prepare(a: Checkpoint, b: Checkpoint) {
  const open = async (name: string) => (name === "a" ? a : b);
  return prepareMerge(parseRecipe(LINEAR).recipe, { open, shardBytes: 5e9 });
}

test("a tied head that is stored twice is not written a second time", async () => {
  const found = await prepare(tiedModel("a", "same"), tiedModel("b", null));
  expect(found.outputs.map(({ name }) => name)).toEqual([EMBED]);
  expect(found.configChanges).toEqual({});
  expect(found.card.findings.map(({ message }) => message)).toContain(
    '"a" stores its tied head beside the embedding, number for number: it is not written a second time.',
  );
});

test("a head that differs from the embedding makes the result untied, with a warning", async () => {
  const found = await prepare(tiedModel("a", "other"), tiedModel("b", "other"));
  expect(found.outputs.map(({ name }) => name)).toEqual([EMBED, HEAD]);
  expect(found.configChanges).toEqual({ tied: false });
  const warnings = found.card.findings.filter(({ severity }) => severity === "warning");
  expect(warnings.map(({ model }) => model)).toEqual(["a", "b"]);
  expect(warnings[0]?.message).toContain("tie_word_embeddings becomes false");
});

test("an own head of one stands beside the embedding of a model that stores its tied head twice", async () => {
  const a = tiedModel("a", "same");
  const b = tiedModel("b", "other");
  const found = await prepare(a, b);
  const head = found.outputs.find(({ name }) => name === HEAD);
  expect(head?.models).toEqual([a.tensors.get(EMBED), b.tensors.get(HEAD)]);
  expect(found.configChanges).toEqual({ tied: false });
});

test("a causal model without any head is said", () => {
  const tensors: Tensors = { [EMBED]: ["F32", [8, 4]] };
  const config = { architecture: "LlamaForCausalLM" };
  const found = plan(
    LINEAR,
    ["a", "b"].map((name) => makeModel(name, tensors, config)),
  );
  expect(codes(found)).toEqual(["warning missing-tensor"]);
  expect(found.card.findings[0]?.message).toContain("no model has a head");
});
