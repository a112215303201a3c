import type { Engine, JobCard, JobRequest, ModelCard } from "../../engine/contract/index.ts";

/** A model card for tests. */
export function fakeModel(name: string, changes: Partial<ModelCard> = {}): ModelCard {
  return {
    id: `id-${name}`,
    name,
    state: "complete",
    origin: "import",
    createdAt: 0,
    architecture: "LlamaForCausalLM",
    parameters: 1_000_000,
    layers: 6,
    vocabSize: 1024,
    dtypes: ["BF16"],
    tensorCount: 56,
    byteLength: 2_000_000,
    storedBytes: 2_000_000,
    hasTokenizer: true,
    ...changes,
  };
}

/** A job card for tests. */
export function fakeJob(id: string, changes: Partial<JobCard> = {}): JobCard {
  return {
    id,
    kind: "merge",
    title: id,
    state: "running",
    resumable: false,
    createdAt: 1,
    endedAt: null,
    progress: { doneBytes: 0, totalBytes: 1, label: "", bytesPerSecond: null, secondsLeft: null },
    recipe: null,
    failure: null,
    result: null,
    ...changes,
  };
}

/** Engine for tests: gives the stated answers, and records the started jobs. */
export function fakeEngine(answers: Partial<Engine>): {
  readonly engine: Engine;
  readonly started: readonly JobRequest[];
} {
  const started: JobRequest[] = [];
  const storage = { usedBytes: 0, quotaBytes: null, persisted: false };
  const given: Partial<Engine> = {
    storage: async () => storage,
    listModels: async () => [],
    listDatasets: async () => [],
    listFusions: async () => [],
    planMixture: async () => null,
    sortDropped: async (paths) => ({ checkpoints: paths, data: [] }),
    startJob: async (request) => fakeJob(`job ${started.push(request)}`, { kind: request.kind }),
    ...answers,
  };
  const engine = new Proxy(given, {
    get: (target, name) =>
      Reflect.get(target, name) ??
      (() => Promise.reject(new Error(`the test's engine has no ${String(name)}`))),
  }) as Engine;
  return { engine, started };
}
