import { EngineError } from "../../contract/index.ts";
import type { MergeMethod, Resolved } from "../method.ts";
import { findMissingBase, type Section } from "../recipe/sections.ts";
import { findRepeated } from "./recipeFindings.ts";

function refuse(message: string, details: Record<string, string | number>): never {
  throw new EngineError("bad-recipe", message, details);
}

/** Whether a section has the base and as many models as the method takes; `count` are merged. */
export function checkModels(method: MergeMethod, section: Section, count: number): void {
  const { recipe } = section;
  const { base, models } = method;
  const missing = findMissingBase(method, section);
  if (missing !== null) refuse(missing, { key: "slices" });
  if (base === "required" && recipe.base === undefined) {
    refuse(`The method "${method.id}" needs a base: add "base_model: …".`, { key: "base_model" });
  }
  const repeated = findRepeated(recipe);
  const weighs = Object.values(method.params).some(({ scope }) => scope === "model");
  if (repeated !== null && method.mergekit && !weighs) {
    refuse(
      `"${repeated}" is listed more than once, which mergekit refuses for "${method.id}": it has no weights of its own for each entry. List it once.`,
      { key: "models", model: repeated },
    );
  }
  if (count >= models.min && count <= models.max) return;
  const wanted =
    models.min === models.max
      ? `exactly ${models.min}`
      : `${count < models.min ? "at least" : "at most"} ${count < models.min ? models.min : models.max}`;
  const beside = base === "none" ? "" : " beside the base";
  refuse(
    `The method "${method.id}" takes ${wanted} ${wanted.endsWith(" 1") ? "model" : "models"}${beside}; the recipe has ${count}.`,
    { key: "models", count },
  );
}

/** Holds the parameters of a tensor, or of the merge as a whole, against what the method says of them. */
export function checkTogether(method: MergeMethod, { global, models }: Resolved): void {
  const sentence = method.refuse?.(global, models);
  if (sentence) refuse(sentence, { method: method.id });
}
