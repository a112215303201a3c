import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import type { Engine, GenerateEvent, GenerateRequest } from "../engine/contract/index.ts";
import { bytesInMemory } from "../engine/core/bytes.ts";
import { acquireGpu } from "../engine/gpu/device.ts";
import { openDecoder } from "../engine/runtime/decoder/openDecoder.ts";
import { readCrossEntropy } from "../engine/runtime/generate/score.ts";
import { openTokenizer } from "../engine/text/tokenizers/tokenizer.ts";
import { dropSample, openTestEngine, runJob, SAMPLE_FILES } from "./engineTestParts.ts";

const NAMES = ["ember-base", "ember-maths"];
const SAMPLING = {
  temperature: 0.8,
  topK: 40,
  topP: 0.95,
  minP: 0,
  repetitionPenalty: 1.1,
  seed: 7,
};

let engine: Engine;
const ids = new Map<string, string>();

const readSample = async (name: string, file: string) =>
  new Uint8Array(await readFile(join("public", "samples", name, file)));

beforeAll(async () => {
  engine = await openTestEngine();
  const files = (await Promise.all(NAMES.map(dropSample))).flat();
  expect((await runJob(engine, { kind: "import", files })).failure).toBeNull();
  for (const { id, name } of await engine.listModels()) ids.set(name, id);
});

const idOf = (name: string) => ids.get(name) as string;

const ask = (change: Partial<GenerateRequest> = {}): GenerateRequest => ({
  model: idOf("ember-base"),
  prompt: { kind: "text", text: "The old prince" },
  maxTokens: 12,
  sampling: SAMPLING,
  topCount: 3,
  ...change,
});

async function generate(request: GenerateRequest) {
  const events: GenerateEvent[] = [];
  const generation = await engine.generate(request, { onEvent: (event) => events.push(event) });
  const tokens = events.flatMap((event) => (event.type === "token" ? [event] : []));
  return { generation, events, tokens };
}

test("a sample's card says that it reads, has no chat template, and fits", async () => {
  const { weightBytes, ...card } = await engine.describeLanguage(idOf("ember-base"));
  expect(card).toEqual({
    model: idOf("ember-base"),
    failure: null,
    reads: true,
    chats: false,
    contextLength: 256,
    streamed: false,
  });
  // Two bytes a parameter, and norms as float32.
  expect(weightBytes).toBe(2 * 1_220_224 + 2 * 13 * 128);
});

test("the same seed draws the same text, and its tokens tell what they are", async () => {
  const one = await generate(ask());
  const other = await generate(ask());
  expect(one.generation.text.length).toBeGreaterThan(8);
  expect(other.generation.text).toBe(one.generation.text);
  expect(one.tokens.map(({ text }) => text).join("")).toBe(one.generation.text);
  expect(one.tokens).toHaveLength(one.generation.tokens);
  expect(one.events.some(({ type }) => type === "loading")).toBe(true);
  // The model stays on the GPU between calls.
  expect(other.events.some(({ type }) => type === "loading")).toBe(false);
  for (const { token } of one.tokens) {
    expect(token.nats).toBeGreaterThanOrEqual(0);
    const probabilities = token.top.map(({ probability }) => probability);
    expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a));
    expect(probabilities.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(1 + 1e-12);
  }
  const third = await generate(ask({ sampling: { ...SAMPLING, seed: 8 } }));
  expect(third.generation.text).not.toBe(one.generation.text);
});

test("without temperature every token is the first of the likeliest", async () => {
  const sampling = { ...SAMPLING, temperature: 0, repetitionPenalty: 1 };
  const { tokens } = await generate(ask({ sampling }));
  expect(tokens).toHaveLength(12);
  for (const { token } of tokens) expect(token.text).toBe(token.top[0]?.text);
});

test("a signal stops it between tokens, and the model can be used again", async () => {
  const controller = new AbortController();
  const texts: string[] = [];
  const stopped = engine.generate(ask({ maxTokens: 200 }), {
    signal: controller.signal,
    onEvent(event) {
      if (event.type !== "token") return;
      texts.push(event.text);
      if (texts.length === 2) controller.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: "cancelled" });
  expect(texts).toHaveLength(2);
  expect((await generate(ask())).generation.tokens).toBe(12);
});

test("two models write side by side", async () => {
  const both = await Promise.all(NAMES.map((name) => generate(ask({ model: idOf(name) }))));
  const texts = both.map(({ generation }) => generation.text);
  expect(texts[0]).not.toBe(texts[1]);
  expect(texts[0]).toBe((await generate(ask())).generation.text);
});

test("a model writes while another job merges", async () => {
  const alone = await generate(ask());
  const merge = runJob(engine, {
    kind: "merge",
    name: "mix",
    shardBytes: 5e9,
    recipe: {
      method: "linear",
      parameters: {},
      models: NAMES.map((model) => ({ model, parameters: { weight: 0.5 } })),
    },
  });
  const beside = await generate(ask());
  expect(beside.generation.text).toBe(alone.generation.text);
  const { state, failure, result } = await merge;
  expect({ state, failure }).toEqual({ state: "done", failure: null });
  const mixed = await generate(ask({ model: result?.models[0] as string }));
  expect(mixed.generation.tokens).toBe(12);
  expect(mixed.generation.text).not.toBe(alone.generation.text);
});

test("a text is read as teacher forcing reads it", async () => {
  const text = "There was once a miller named Oswin, whose mill stood on a hill.";
  const reading = await engine.readText({ model: idOf("ember-base"), text, topCount: 2 });

  const entries = await Promise.all(
    SAMPLE_FILES.map(
      async (file) => [file, bytesInMemory(await readSample(NAMES[0]!, file))] as const,
    ),
  );
  const files = new Map(entries);
  const tokenizer = await openTokenizer(files);
  const gpu = await acquireGpu(navigator.gpu);
  const model = await openDecoder(gpu, await openCheckpoint(files, "ember-base"));
  const tokens = [...(tokenizer?.encode(text, { specialTokens: true }).ids ?? [])];
  const want = await readCrossEntropy(gpu, model, tokens);
  gpu.destroy();

  expect(reading.tokens.map(({ id }) => id)).toEqual(tokens);
  expect(reading.tokens[0]?.nats).toBeNull();
  // The GPU sums 1,024 exponentials in float32, the CPU in float64.
  for (const [i, nats] of want.entries()) {
    expect(Math.abs((reading.tokens[i + 1]?.nats ?? 0) - nats)).toBeLessThanOrEqual(1e-4);
  }
  expect(reading.bytes).toBe(new TextEncoder().encode(text).byteLength);
  expect(reading.bitsPerByte).toBeCloseTo(reading.nats / Math.LN2 / reading.bytes, 12);
  expect(
    reading.tokens
      .slice(1)
      .map((token) => token.text)
      .join(""),
  ).toBe(text);
});

test("what a model has no room for is refused with the numbers", async () => {
  const text = "word ".repeat(300);
  const request = { model: idOf("ember-base"), text, topCount: 0 };
  await expect(engine.readText(request)).rejects.toMatchObject({
    code: "usage",
    details: { contextLength: 256 },
  });
  const long = { ...request, text: "a".repeat(2 ** 20 + 1) };
  await expect(engine.readText(long)).rejects.toMatchObject({
    code: "usage",
    details: { limit: 2 ** 20 },
  });
  await expect(engine.generate(ask({ topCount: 21 }))).rejects.toMatchObject({ code: "usage" });
  const prompt = { kind: "chat", turns: [{ role: "user", content: "Hello" }] } as const;
  await expect(engine.generate(ask({ prompt }))).rejects.toMatchObject({ code: "missing-file" });
});
