import type { JobRow, Journal } from "../core/jobs/journal.ts";
import { stateProfile, stateProfileOf } from "./recipe/profiles.ts";

/** Rows of the time before mergekit's profile was the default left the paper's unsaid. */
function readRow(row: JobRow): JobRow {
  const { card, request } = row;
  const recipe = card.recipe && stateProfile(card.recipe, "paper");
  return {
    ...row,
    card: { ...card, recipe },
    request: request && stateProfileOf(request, "paper"),
  };
}

/** A journal whose recipes mean what they meant when they were written; new ones state it. */
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
