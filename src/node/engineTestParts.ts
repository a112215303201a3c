import "fake-indexeddb/auto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DroppedFile, Engine, JobCard, JobRequest } from "../engine/contract/index.ts";
import { createEngine } from "../engine/create.ts";

/** What makes a sample a model that reads and writes. */
export const SAMPLE_FILES = [
  "config.json",
  "generation_config.json",
  "model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
];

/** For tests: the whole engine on Dawn over a database in memory, in a page without locks. */
export function openTestEngine(storage?: StorageManager): Promise<Engine> {
  return createEngine({
    gpu: navigator.gpu,
    baseUrl: "http://localhost/",
    locks: undefined,
    storage,
  });
}

/** A file as a person drops it. */
export function droppedFile(path: string, content: string | Uint8Array): DroppedFile {
  const bytes = typeof content === "string" ? content : new Uint8Array(content);
  return { path, file: new File([bytes], path) };
}

/** A sample's folder as a person drops it. */
export function dropSample(name: string): Promise<readonly DroppedFile[]> {
  const read = (file: string) => readFile(join("public", "samples", name, file));
  return Promise.all(
    SAMPLE_FILES.map(async (file) => droppedFile(`${name}/${file}`, await read(file))),
  );
}

/** Waits until a job is no longer running, or until it is as far as asked. */
export async function finishJob(
  engine: Engine,
  id: string,
  until?: (card: JobCard) => boolean,
): Promise<JobCard> {
  for (;;) {
    const card = (await engine.listJobs()).find((each) => each.id === id) as JobCard;
    if (card.state !== "running" || until?.(card)) return card;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Runs a job to its end, whatever that is. */
export async function runJob(engine: Engine, request: JobRequest): Promise<JobCard> {
  return finishJob(engine, (await engine.startJob(request)).id);
}
