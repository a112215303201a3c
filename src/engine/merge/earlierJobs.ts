import type { JobRequest, Recipe, SliceSource } from "../contract/index.ts";
import type { JobRow, Journal } from "../core/jobs/journal.ts";
import { stateProfile, stateProfileOf } from "./recipe/profiles.ts";

/** A recipe as it was once stored: one slice as models with their layers, a tokenizer by its name. */
type EarlierRecipe = Omit<Recipe, "tokenizer"> & {
  readonly layers?: number;
  readonly tokenizer?: string | Recipe["tokenizer"];
};

function readRecipe({ layers, tokenizer, ...rest }: EarlierRecipe): Recipe {
  const sources = rest.models.map((model): SliceSource => ({ ...model, layers: [0, layers ?? 0] }));
  return {
    ...rest,
    ...(layers !== undefined && { models: [], slices: [{ sources, parameters: {} }] }),
    ...(tokenizer !== undefined && {
      tokenizer: typeof tokenizer === "string" ? { source: tokenizer } : tokenizer,
    }),
  };
}

function readRequest(request: JobRequest): JobRequest {
  if (request.kind !== "merge" && request.kind !== "measure") return request;
  return { ...request, recipe: readRecipe(request.recipe) };
}

/**
 * A job row with its recipe as it is written today, and its profile stated: rows of earlier versions
 * leave it out and mean `paper`, which was the default then.
 */
function readRow(row: JobRow): JobRow {
  const { card, request } = row;
  const recipe = card.recipe && stateProfile(readRecipe(card.recipe), "paper");
  return {
    ...row,
    card: { ...card, recipe },
    request: request && stateProfileOf(readRequest(request), "paper"),
  };
}

/**
 * A journal that states the profile of recipes stored by earlier versions, so that today's default
 * does not change their meaning.
 */
export function readEarlierJobs(journal: Journal): Journal {
  return {
    ...journal,
    rows: async () => (await journal.rows()).map(readRow),
    async row(id) {
      const row = await journal.row(id);
      return row && readRow(row);
    },
  };
}
