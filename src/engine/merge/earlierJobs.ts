import type { JobRow, Journal } from "../core/jobs/journal.ts";
import { stateProfile, stateProfileOf } from "./recipe/profiles.ts";

/**
 * A job row with its recipe's profile stated: rows of earlier versions leave it out and mean
 * `paper`, which was the default then.
 */
function readRow(row: JobRow): JobRow {
  const { card, request } = row;
  const recipe = card.recipe && stateProfile(card.recipe, "paper");
  return {
    ...row,
    card: { ...card, recipe },
    request: request && stateProfileOf(request, "paper"),
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
