import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Command } from "./command.ts";
import { fuse } from "./fuse.ts";
import { logits } from "./logits.ts";
import { perplexity } from "./perplexity.ts";

// The sample was exported from the checkpoint beside it, in float32.
const CHECKPOINT = join("public", "samples", "slate-source");

let folder: string;
let exported: string;
let texts: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusestudio-onnx-"));
  exported = join(folder, "slate-source");
  texts = join(folder, "texts.jsonl");
  const filter = (path: string) => !path.endsWith(".safetensors");
  await cp(CHECKPOINT, exported, { recursive: true, filter });
  await writeFile(texts, JSON.stringify({ text: "Two children met an old woman in the wood." }));
});
afterAll(() => rm(folder, { recursive: true }));

async function call<T>(command: Command, positionals: readonly string[], options = {}) {
  const { signal } = new AbortController();
  const quiet = { say: () => undefined, progress: () => undefined };
  const { json } = await command.run({ positionals, options, signal, ...quiet });
  return json as T;
}

test("an export gives the logits and the perplexity of its checkpoint", async () => {
  const [ours, theirs] = await Promise.all(
    [CHECKPOINT, exported].map((model) =>
      call<{ ids: number[]; logits: number[] }>(logits, [model], { text: "Once upon a time" }),
    ),
  );
  expect(theirs?.ids).toEqual(ours?.ids);
  const errors = ours!.logits.map((value, id) => Math.abs(value - theirs!.logits[id]!));
  expect(Math.max(...errors)).toBeLessThanOrEqual(2e-3);
  const [own, read] = await Promise.all(
    [CHECKPOINT, exported].map((model) => call<{ nats: number }>(perplexity, [model, texts])),
  );
  expect(Math.abs(read!.nats / own!.nats - 1)).toBeLessThanOrEqual(1e-5);
});

test("an id that only the graph knows to be none is refused", async () => {
  const sizeless = join(folder, "sizeless");
  await cp(exported, sizeless, { recursive: true });
  const config = JSON.parse(await readFile(join(exported, "config.json"), "utf8"));
  await writeFile(
    join(sizeless, "config.json"),
    JSON.stringify({ ...config, vocab_size: undefined }),
  );
  await expect(call(logits, [sizeless], { ids: "1,320" })).rejects.toMatchObject({ code: "usage" });
});

test("an export teaches as its checkpoint does", async () => {
  const pivot = join("public", "samples", "ember-base");
  interface Taught {
    readonly rows: number;
    readonly bitsPerByte: { readonly source: number };
  }
  const [own, read] = await Promise.all(
    [CHECKPOINT, exported].map((source, i) =>
      call<Taught>(fuse, [pivot, source, texts, join(folder, `fused${i}`)]),
    ),
  );
  expect(read?.rows).toBe(own?.rows);
  const { source: theirs } = read!.bitsPerByte;
  expect(Math.abs(theirs / own!.bitsPerByte.source - 1)).toBeLessThanOrEqual(1e-5);
});
