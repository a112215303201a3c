import type { JobId, JobRequest, JobResult, Recipe } from "../../contract/index.ts";

export type JobKindName = JobRequest["kind"];
export type RequestOf<K extends JobKindName> = Extract<JobRequest, { readonly kind: K }>;

/** What a kind says about a request before anything is journalled. */
export interface PreparedJob {
  /** A short phrase: "Merge ember-varm". */
  readonly title: string;
  readonly recipe: Recipe | null;
  /**
   * True where the request may be kept in the journal, so that the job goes on after its tab closed.
   * A dropped file may not: the browser would copy it whole.
   */
  readonly durable: boolean;
  /** Bytes the work will move, as far as it can be told. */
  readonly totalBytes: number;
}

/** How far a job is; speed and time left are the runner's business. */
export interface JobStep {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly unit?: "parts";
  readonly label: string;
}

/** What a running job is given. */
export interface JobContext<State> {
  readonly id: JobId;
  /** What an earlier run of the same job saved last, or null. */
  readonly state: State | null;
  readonly signal: AbortSignal;
  /** Journals plain data from which a later run goes on. Write the outcome first, its state after. */
  save(state: State): Promise<void>;
  /** Cheap: call it as often as there is something to say. */
  progress(step: JobStep): void;
  /** Tells the watchers that the library changed. */
  modelsChanged(): void;
}

/**
 * A kind of long work. `run` is idempotent: after a crash it is called again with the last saved
 * state, and what is done stays done. It ends early with the signal's reason or a `cancelled` error.
 */
export interface JobKind<K extends JobKindName, State = unknown> {
  readonly kind: K;
  /** Jobs that need the same resource run one after the other; others side by side. */
  readonly resource: "gpu" | "import" | "export";
  /** Refuses what cannot be run, by throwing. */
  prepare(request: RequestOf<K>): Promise<PreparedJob>;
  run(request: RequestOf<K>, context: JobContext<State>): Promise<JobResult>;
  /** Frees what only this job needs (not the models it made) when it is deleted from the journal. */
  clean?(id: JobId, state: State | null): Promise<void>;
}

/** A job kind whose request and state only itself knows; the runner hands them through. */
export interface AnyJobKind extends Pick<JobKind<JobKindName, unknown>, "kind" | "resource"> {
  prepare(request: never): Promise<PreparedJob>;
  run(request: never, context: JobContext<never>): Promise<JobResult>;
  clean?(id: JobId, state: never): Promise<void>;
}
