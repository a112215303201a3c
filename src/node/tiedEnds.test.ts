import { afterAll, beforeAll, expect, test } from "vitest";
import type { Checkpoint } from "../engine/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { measureDecoder } from "../engine/runtime/decoder/plan.ts";
import { openFiles } from "./files.ts";

const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";

// Its config.json ties the head to the embedding, which alone is stored.
let qwen: Checkpoint;
let close: () => Promise<void>;
beforeAll(async () => {
  const opened = await openFiles("goldens/nn/models/qwen2");
  qwen = await openCheckpoint(opened.files, "qwen2");
  close = opened.close;
});
afterAll(() => close());

/** What runs when the embedding is stored under these names. */
function endsOf(...names: readonly string[]) {
  const tensors = new Map(qwen.tensors);
  const embedding = tensors.get(EMBEDDING)!;
  tensors.delete(EMBEDDING);
  for (const name of names) tensors.set(name, { ...embedding, name });
  const { spec, weightBytes } = measureDecoder({ ...qwen, tensors });
  return { ends: [spec.embedding.tensor, spec.head.tensor], weightBytes };
}

test("a tied head is the embedding", () => {
  expect(endsOf(EMBEDDING).ends).toEqual([EMBEDDING, EMBEDDING]);
});

test("a head that is stored although it is tied is a head of its own, as in transformers 5", () => {
  const { ends, weightBytes } = endsOf(EMBEDDING, HEAD);
  expect(ends).toEqual([EMBEDDING, HEAD]);
  expect(weightBytes).toBeGreaterThan(endsOf(EMBEDDING).weightBytes);
});

test("a head that is stored alone is the embedding too", () => {
  expect(endsOf(HEAD)).toEqual({ ...endsOf(EMBEDDING), ends: [HEAD, HEAD] });
});

test("neither is a missing tensor", () => {
  expect(() => endsOf()).toThrow(EMBEDDING);
});
