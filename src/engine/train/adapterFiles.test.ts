import { expect, test } from "vitest";
import { targetModules } from "./adapterFiles.ts";

const layers = (count: number, ...modules: readonly string[]) =>
  Array.from({ length: count }, (_, layer) => modules.map((module) => `model.${layer}.${module}`));

test("modules that all layers train are named by their last word", () => {
  const all = layers(12, "attn.q", "attn.k", "mlp.up").flat();
  const trained = all.filter((module) => /q$|up$/.test(module));
  expect(targetModules(trained, all)).toEqual(["q", "up"]);
});

test("an ending that names another module too is made longer, until it does not", () => {
  const all = layers(2, "attn.dense", "mlp.dense").flat();
  const trained = all.filter((module) => module.endsWith("attn.dense"));
  expect(targetModules(trained, all)).toEqual(["attn.dense"]);
  const one = layers(12, "q").flat();
  expect(targetModules(["model.1.q"], one)).toEqual(["1.q"]); // and not model.11.q
  expect(targetModules(["q"], ["q", "model.q"])).toEqual(["q"]); // nothing longer is left
});
