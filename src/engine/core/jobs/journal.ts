import { del, get, set, type UseStore, values } from "idb-keyval";
import type { JobCard, JobId, JobRequest } from "../../contract/index.ts";

/** One job as the journal keeps it. */
export interface JobRow {
  readonly card: JobCard;
  /** Null where the request cannot outlive its tab. */
  readonly request: JobRequest | null;
  /** Last saved state of the job. */
  readonly state: unknown;
}

/** Journal of the jobs. */
export interface Journal {
  rows(): Promise<readonly JobRow[]>;
  row(id: JobId): Promise<JobRow | undefined>;
  put(row: JobRow): Promise<void>;
  delete(id: JobId): Promise<void>;
}

/** The journal in an object store. */
export function storedJournal(store: UseStore): Journal {
  return {
    rows: () => values<JobRow>(store),
    row: (id) => get<JobRow>(id, store),
    put: (row) => set(row.card.id, row, store),
    delete: (id) => del(id, store),
  };
}
