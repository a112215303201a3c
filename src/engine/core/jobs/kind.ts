import type { JobId, JobRequest, JobResult, Recipe } from "../../contract/index.ts";

export type JobKindName = JobRequest["kind"];
export type RequestOf<K extends JobKindName> = Extract<JobRequest, { readonly kind: K }>;

/** A kind's answer to a request, before anything is journalled. */
export interface PreparedJob {
  /** Short phrase: "Merge ember-varm". */
  readonly title: string;
  readonly recipe: Recipe | null;
  /**
   * Whether the request may be journalled, so that the job survives its tab. A dropped file may
   * not: the browser would copy it whole.
   */
  readonly durable: boolean;
  /** Bytes that the work will process, as far as known. */
  readonly totalBytes: number;
}

/** Progress of a job; the runner computes speed and remaining time. */
export interface JobStep {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly unit?: "parts";
  readonly label: string;
}

/** Services for a running job. */
export interface JobContext<State> {
  readonly id: JobId;
  /** Last saved state of an earlier run, or null. */
  readonly state: State | null;
  readonly signal: AbortSignal;
  /** Journals plain data that a later run resumes from. Write the outcome before its state. */
  save(state: State): Promise<void>;
  /** Reports progress; cheap enough to call often. */
  progress(step: JobStep): void;
  /** Notifies watchers that the library changed. */
  modelsChanged(): void;
}

/**
 * A kind of job. `run` is idempotent: after a crash it is called again with the last saved state,
 * and finished work is kept. It ends early with the signal's reason or a `cancelled` error.
 */
export interface JobKind<K extends JobKindName, State = unknown> {
  readonly kind: K;
  /** Resource: jobs of the same one run one after the other. */
  readonly resource: "gpu" | "import" | "export";
  /** Refuses what cannot be run, by throwing. */
  prepare(request: RequestOf<K>): Promise<PreparedJob>;
  run(request: RequestOf<K>, context: JobContext<State>): Promise<JobResult>;
  /** Deletes what only this job needs, not its models, when it is deleted from the journal. */
  clean?(id: JobId, state: State | null): Promise<void>;
}

/** A job kind with its types of request and state erased, as the runner handles it. */
export interface AnyJobKind extends Pick<JobKind<JobKindName, unknown>, "kind" | "resource"> {
  prepare(request: never): Promise<PreparedJob>;
  run(request: never, context: JobContext<never>): Promise<JobResult>;
  clean?(id: JobId, state: never): Promise<void>;
}
