import { EngineError } from "../../contract/index.ts";
import { parseRecipe } from "./parseRecipe.ts";

/** The shortest recipe. */
export const START = "merge_method: linear\nmodels:\n- model: a\n";

/** The error with which a recipe's text is refused. */
export function refusalOf(text: string): EngineError {
  try {
    parseRecipe(text);
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error("the recipe was not refused");
}
