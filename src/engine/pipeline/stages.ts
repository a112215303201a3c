import type { LibraryReader } from "../checkpoint/library/library.ts";
import type { JobId, JobResult, ModelId, PipelineStage, PipelineStep } from "../contract/index.ts";
import type { JobContext, JobKind, JobKindName, RequestOf } from "../core/jobs/kind.ts";
import type { FusionLibrary } from "../fuse/dataset/fusions.ts";
import {
  decodePlain,
  encodePlain,
  type RecordStore,
  readRecords,
} from "../fuse/dataset/recordStore.ts";
import { STUDIO } from "../merge/run/version.ts";
import { hashPlain } from "../storage/hash.ts";

/** Saved state of a pipeline: each begun stage's state and result. */
export interface StagesState {
  readonly [key: string]: { readonly state: unknown; readonly result: JobResult | null };
}

/** A stage's job, of another kind, run within the pipeline's. */
export interface StageJob<K extends JobKindName> {
  readonly key: string;
  readonly step: PipelineStep;
  readonly title: string;
  readonly kind: JobKind<K, unknown>;
  readonly request: RequestOf<K>;
  /**
   * Further inputs of its result beside the request, such as models that the request only names.
   */
  readonly depends: readonly string[];
}

export interface StageParts {
  readonly library: Pick<LibraryReader, "list">;
  readonly fusions: FusionLibrary;
  readonly records: RecordStore;
}

type StageNote = Pick<PipelineStage, "key" | "state" | "model" | "fusion" | "training">;

const notesFolder = (job: JobId) => `pipeline/${job}`;
const reuseFolder = (inputs: string) => `pipeline-inputs/${inputs}`;

/** Notes of a pipeline's stages, by key: the latest of each. */
export async function readStages(
  records: RecordStore,
  job: JobId,
): Promise<ReadonlyMap<string, StageNote>> {
  const notes = new Map<string, StageNote>();
  for await (const bytes of readRecords(records, notesFolder(job))) {
    const note = decodePlain<StageNote>(bytes);
    notes.set(note.key, note);
  }
  return notes;
}

/** Deletes the notes. */
export function forgetStages(records: RecordStore, job: JobId): Promise<void> {
  return records.deleteFolder(notesFolder(job));
}

/** Hash of a stage's inputs; ids stand for contents that never change. */
function hashInputs(kind: string, request: object, depends: readonly string[]): Promise<string> {
  const { name: _, ...inputs } = request as { name?: unknown }; // what it is called changes nothing
  return hashPlain([STUDIO.version, kind, inputs, depends]);
}

/**
 * Runs stages one after the other, each once: results of an earlier run of this pipeline, or of
 * another one with the same inputs, are reused.
 */
export class StageRunner {
  readonly #parts: StageParts;
  readonly #context: JobContext<StagesState>;
  readonly #count: number;
  #state: StagesState;
  #done = 0;

  constructor(parts: StageParts, context: JobContext<StagesState>, count: number) {
    this.#parts = parts;
    this.#context = context;
    this.#count = count;
    this.#state = context.state ?? {};
  }

  async run<K extends JobKindName>(stage: StageJob<K>): Promise<JobResult> {
    const { key, title, kind, request } = stage;
    const context = this.#context;
    context.signal.throwIfAborted();
    const known = this.#state[key];
    const inputs = await hashInputs(kind.kind, request, stage.depends);
    const job = `${context.id}/${key}`;
    const made = known?.result ?? (known ? null : await this.#find(inputs));
    if (made && (await this.#isThere(made))) {
      await this.#keep(key, { state: null, result: made });
      if (!known?.result) await this.#note(stage, "reused", made, job);
      this.#advance(title);
      return made;
    }
    // Checked now that its inputs exist, so that a lack of memory is reported before work is lost.
    if (!known) await kind.prepare(request);
    await this.#note(stage, "running", null, job);
    const result = await kind.run(request, {
      id: job,
      state: known?.state ?? null,
      signal: context.signal,
      save: (state) => this.#keep(key, { state, result: null }),
      progress: ({ doneBytes, totalBytes, label }) =>
        this.#tell(doneBytes / Math.max(1, totalBytes), `${title}: ${label}`),
      modelsChanged: () => context.modelsChanged(),
    });
    await this.#parts.records.append(reuseFolder(inputs), [encodePlain({ ...result, job })]);
    await this.#keep(key, { state: null, result });
    await this.#note(stage, "done", result, job);
    this.#advance(title);
    return result;
  }

  /** Runs a stage that has no job of its own. */
  async runOwn<T>(
    stage: Pick<StageJob<never>, "key" | "step" | "title">,
    work: (options: {
      readonly state: unknown;
      save(state: unknown): Promise<void>;
      progress(fraction: number, label: string): void;
    }) => Promise<T>,
  ): Promise<T> {
    await this.#note(stage, "running", null, this.#context.id);
    const result = await work({
      state: this.#state[stage.key]?.state ?? null,
      save: (state) => this.#keep(stage.key, { state, result: null }),
      progress: (fraction, label) => this.#tell(fraction, `${stage.title}: ${label}`),
    });
    await this.#note(stage, "done", null, this.#context.id);
    this.#advance(stage.title);
    return result;
  }

  async #find(inputs: string): Promise<JobResult | null> {
    let found: JobResult | null = null;
    for await (const bytes of readRecords(this.#parts.records, reuseFolder(inputs))) {
      const result = decodePlain<JobResult>(bytes);
      if (await this.#isThere(result)) found = result;
    }
    return found;
  }

  /** Whether a stage's results still exist. */
  async #isThere({ models, fusion }: JobResult): Promise<boolean> {
    const [cards, fusions] = await Promise.all([
      this.#parts.library.list(),
      this.#parts.fusions.list(),
    ]);
    const complete = (cards: readonly { id: string; state: string }[], id: string) =>
      cards.some((card) => card.id === id && card.state === "complete");
    return (
      models.every((id) => complete(cards, id)) &&
      (fusion === undefined || complete(fusions, fusion))
    );
  }

  async #keep(key: string, stage: StagesState[string]): Promise<void> {
    this.#state = { ...this.#state, [key]: stage };
    await this.#context.save(this.#state);
  }

  async #note(
    { key, step }: Pick<StageJob<never>, "key" | "step">,
    state: PipelineStage["state"],
    result: (JobResult & { readonly job?: JobId }) | null,
    job: JobId,
  ): Promise<void> {
    const model: ModelId | null = result?.models[0] ?? null;
    const training = step === "distill" ? (result?.job ?? job) : null;
    const note: StageNote = { key, state, model, fusion: result?.fusion ?? null, training };
    await this.#parts.records.append(notesFolder(this.#context.id), [encodePlain(note)]);
    this.#tell(0, "");
  }

  #advance(label: string): void {
    this.#done += 1;
    this.#tell(0, label);
  }

  /** Progress: stages count alike, as their durations are unknown. */
  #tell(fraction: number, label: string): void {
    const doneBytes = Math.round(1000 * (this.#done + Math.min(1, fraction)));
    const totalBytes = 1000 * this.#count;
    this.#context.progress({ doneBytes, totalBytes, unit: "parts", label });
  }
}
