import { expect, test, vi } from "vitest";
import {
  type CallOptions,
  type Engine,
  EngineError,
  type GenerateEvent,
  type GenerateRequest,
  type LanguageCard,
  type ReadToken,
} from "../../engine/contract/index.ts";
import { fakeEngine, fakeModel } from "./fakeEngine.ts";
import {
  chosenModels,
  clearColumns,
  describeModels,
  playBlocked,
  runPrompt,
  toggleColumn,
} from "./playgroundActions.ts";
import { appendToken, CHUNK_TOKENS, chunkTokens, type TokenChunks } from "./playgroundStore.ts";
import { createStudio } from "./studio.ts";

const MODELS = ["a", "b", "c", "d", "e"].map((name, createdAt) => fakeModel(name, { createdAt }));
const token = (text: string): ReadToken => ({ id: 1, text, nats: 1, top: [] });
const card = (model: string, changes: Partial<LanguageCard> = {}): LanguageCard => ({
  model,
  failure: null,
  reads: true,
  chats: true,
  contextLength: 256,
  weightBytes: 10,
  streamed: false,
  ...changes,
});

/** Draws two tokens, then ends. */
async function answerTwice(_: GenerateRequest, options: CallOptions<GenerateEvent> = {}) {
  options.onEvent?.({ type: "loading", doneBytes: 1, totalBytes: 2, label: "" });
  options.onEvent?.({ type: "prompt", tokens: 3 });
  options.onEvent?.({ type: "token", token: token(" he"), text: " he" });
  options.onEvent?.({ type: "token", token: token("llo"), text: "llo" });
  return { text: " hello", tokens: 2, tokensPerSecond: 8, end: "stop" } as const;
}

async function open(answers: Partial<Engine> = {}) {
  const describeLanguage = async (id: string) => card(id);
  const { engine } = fakeEngine({ describeLanguage, generate: answerTwice, ...answers });
  const studio = createStudio(engine, "");
  studio.library.setState({ models: MODELS });
  await describeModels(studio);
  studio.playground.setState({ chosen: ["id-a", "id-b"], prompt: "Hi" });
  const last = (id: string) => studio.playground.getState().columns[id]?.at(-1);
  return { studio, last };
}

test("every chosen model gets the same prompt and settings, one after the other", async () => {
  const generate = vi.fn(answerTwice);
  const { studio, last } = await open({ generate });
  await runPrompt(studio, false);
  expect(generate.mock.calls.map(([{ model }]) => model)).toEqual(["id-a", "id-b"]);
  const [first, second] = generate.mock.calls.map(([{ model: _, ...rest }]) => rest);
  expect(first).toEqual(second);
  expect(last("id-b")).toMatchObject({
    state: "done",
    text: " hello",
    count: 2,
    promptTokens: 3,
    loading: null,
    end: "stop",
  });
  expect(studio.playground.getState().running).toBe(false);
});

test("stop keeps what came, and the models whose turn has not come stay unasked", async () => {
  const generate = vi.fn<Engine["generate"]>(async (request, options) => {
    await answerTwice(request, options);
    await new Promise((resolve) => options?.signal?.addEventListener("abort", resolve));
    throw new EngineError("cancelled", "Cancelled.");
  });
  const { studio, last } = await open({ generate });
  const ran = runPrompt(studio, false);
  await vi.waitFor(() => expect(last("id-a")?.count).toBe(2));
  expect(playBlocked(studio)).toContain("answering");
  studio.playground.stop();
  await ran;
  expect(last("id-a")).toMatchObject({ state: "stopped", text: " hello", failure: null });
  expect(last("id-b")).toMatchObject({ state: "stopped", count: 0 });
  expect(generate).toHaveBeenCalledTimes(1);
});

test("a model that fails says why in its own column; the next one answers", async () => {
  const generate = vi
    .fn<Engine["generate"]>(answerTwice)
    .mockRejectedValueOnce(new EngineError("gpu-memory", "Full."));
  const { studio, last } = await open({ generate });
  await runPrompt(studio, false);
  expect(last("id-a")).toMatchObject({ state: "failed", failure: { code: "gpu-memory" } });
  expect(last("id-b")?.state).toBe("done");
});

test("a chat keeps the conversation of each column, without what failed", async () => {
  const generate = vi
    .fn<Engine["generate"]>(answerTwice)
    .mockRejectedValueOnce(new EngineError("gpu-lost", "Gone."));
  const { studio } = await open({ generate });
  studio.playground.setState({ mode: "chat" });
  await runPrompt(studio, false);
  expect(studio.playground.getState().prompt).toBe("");
  studio.playground.setState({ prompt: "More" });
  await runPrompt(studio, false);
  const turns = generate.mock.calls.slice(2).map(([{ prompt }]) => prompt);
  const more = { role: "user", content: "More" };
  expect(turns).toEqual([
    { kind: "chat", turns: [more] },
    {
      kind: "chat",
      turns: [{ role: "user", content: "Hi" }, { role: "assistant", content: " hello" }, more],
    },
  ]);
});

test("a chat asks only models with a template, and is blocked where none has one", async () => {
  const generate = vi.fn(answerTwice);
  const describeLanguage = async (id: string) => card(id, { chats: id === "id-b" });
  const { studio } = await open({ generate, describeLanguage });
  studio.playground.setState({ mode: "chat" });
  await runPrompt(studio, false);
  expect(generate.mock.calls.map(([{ model }]) => model)).toEqual(["id-b"]);
  studio.playground.setState({ chosen: ["id-a"], prompt: "Hi" });
  expect(playBlocked(studio)).toContain("template");
});

test("a text takes the old text's place, and the conversation beside it stays", async () => {
  const { studio } = await open();
  const kinds = () => studio.playground.getState().columns["id-a"]?.map(({ kind }) => kind);
  await runPrompt(studio, false);
  await runPrompt(studio, false);
  expect(kinds()).toEqual(["text"]);
  studio.playground.setState({ mode: "chat" });
  await runPrompt(studio, false);
  expect(kinds()).toEqual(["text", "chat"]);
  studio.playground.setState({ mode: "text", prompt: "Again" });
  await runPrompt(studio, false);
  expect(kinds()).toEqual(["chat", "text"]);
  clearColumns(studio);
  expect(kinds()).toEqual(["chat"]);
});

test("a text is read as a whole, with its nats and bits", async () => {
  const tokens = Array.from({ length: 150 }, (_, at) => token(String(at)));
  const sums = { bytes: 300, nats: 150, natsPerToken: 1, bitsPerByte: 0.72 };
  const { studio, last } = await open({ readText: async () => ({ tokens, ...sums }) });
  await runPrompt(studio, true);
  expect(last("id-a")).toMatchObject({ kind: "read", state: "done", count: 150, reading: sums });
  expect(last("id-a")?.chunks.flat()).toEqual(tokens);
});

test("nobody chose: what was merged last stands beside the first other", () => {
  const merged = [1, 2].map((n) => fakeModel(`m${n}`, { origin: "merge", createdAt: 10 + n }));
  const cards = Object.fromEntries([...MODELS, ...merged].map(({ id }) => [id, card(id)]));
  const shown = chosenModels({ chosen: null, cards }, [...MODELS, ...merged]);
  expect(shown.map(({ name }) => name)).toEqual(["m2", "a"]);
});

test("a fifth column is not taken, and what cannot run is none", async () => {
  const failing = async (id: string) =>
    id === "id-b" ? Promise.reject(new EngineError("bad-config", "No.")) : card(id);
  const { studio } = await open({ describeLanguage: failing });
  for (const { id } of MODELS) if (id !== "id-a") toggleColumn(studio, id);
  const names = chosenModels(studio.playground.getState(), MODELS).map(({ name }) => name);
  expect(names).toEqual(["a", "c", "d", "e"]);
  const more = fakeModel("f");
  studio.library.setState({ models: [...MODELS, more] });
  studio.playground.setState(({ cards }) => ({ cards: { ...cards, [more.id]: card(more.id) } }));
  toggleColumn(studio, more.id);
  expect(studio.playground.getState().chosen).not.toContain(more.id);
});

test("a new token leaves every full chunk the same object", () => {
  let chunks: TokenChunks = [];
  for (let at = 0; at < CHUNK_TOKENS * 2 + 1; at++) chunks = appendToken(chunks, token(String(at)));
  expect(chunks.map(({ length }) => length)).toEqual([CHUNK_TOKENS, CHUNK_TOKENS, 1]);
  const next = appendToken(chunks, token("x"));
  expect(next[0]).toBe(chunks[0]);
  expect(next[1]).toBe(chunks[1]);
  expect(chunkTokens(next.flat())).toEqual(next);
});
