import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { DroppedFile, Engine, EvaluationCell, JobRequest } from "../engine/contract/index.ts";
import { droppedFile, dropSample, openTestEngine, runJob } from "./engineTestParts.ts";

const MODELS = ["ember-base", "ember-maths"];
const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}" +
  "{{ eos_token if m.role == 'assistant' }}\n{% endfor %}" +
  "{% if add_generation_prompt %}assistant:{% endif %}";
/** More than any of the datasets has. */
const ALL = 1000;

let engine: Engine;
const models = new Map<string, string>();
const datasets = new Map<string, string>();

/** The rows of a sample text that no sample model was trained on. */
async function dropEvalRows(name: string): Promise<DroppedFile> {
  const text = await readFile(join("public", "samples", "texts", name), "utf8");
  const rows = text.split("\n").filter((line) => line && JSON.parse(line).split === "eval");
  return droppedFile(`texts/${name}`, rows.join("\n"));
}

const run = (request: JobRequest) => runJob(engine, request);

beforeAll(async () => {
  engine = await openTestEngine();
  const [base = [], ...others] = await Promise.all(MODELS.map(dropSample));
  // The same weights again, with a template.
  const chat = base.map(({ path, file }) => ({ path: path.replace(/-base/, "-chat"), file }));
  const template = droppedFile("ember-chat/chat_template.jinja", TEMPLATE);
  const strict = base.map(({ path, file }) => ({ path: path.replace(/-base/, "-strict"), file }));
  const refusing = `{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}`;
  const strictTemplate = droppedFile("ember-strict/chat_template.jinja", refusing + TEMPLATE);
  const files = [...base, ...others.flat(), ...chat, template, ...strict, strictTemplate];
  expect((await run({ kind: "import", files })).failure).toBeNull();
  for (const { id, name } of await engine.listModels()) models.set(name, id);
  const chats = [
    `{"messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"Hi"}]}`,
    `{"text":"The prince was silent."}`,
    `{"nothing":1}`,
  ];
  const dropped = [await dropEvalRows("maths.jsonl"), droppedFile("mixed.jsonl", chats.join("\n"))];
  expect(await run({ kind: "dataset", files: dropped })).toMatchObject({
    state: "done",
    title: "Add 2 datasets",
    resumable: false,
    result: { notes: ["mixed.jsonl: 1 rows could not be read; the others are there."] },
  });
  for (const { id, name } of await engine.listDatasets()) datasets.set(name, id);
});

const idOf = (map: ReadonlyMap<string, string>, name: string) => map.get(name) as string;

async function evaluate(
  names: readonly string[],
  sets: readonly string[],
  { rows = ALL, systemIntoUser = false } = {},
) {
  const card = await run({
    kind: "evaluate",
    systemIntoUser,
    models: names.map((name) => idOf(models, name)),
    rows,
    datasets: sets.map((name) => idOf(datasets, name)),
  });
  expect(card).toMatchObject({ state: "done", failure: null });
  return {
    cells: card.result?.evaluation as readonly EvaluationCell[],
    notes: card.result?.notes,
  };
}

test("datasets are listed with what is in them, and models are not among them", async () => {
  const cards = await engine.listDatasets();
  expect(
    cards.map(({ name, kind, rows, problemCount }) => [name, kind, rows, problemCount]),
  ).toEqual(
    expect.arrayContaining([
      ["maths.jsonl", "text", 48, 0],
      ["mixed.jsonl", "mixed", 2, 1],
    ]),
  );
  expect(await engine.listModels()).toHaveLength(MODELS.length + 2);
});

test("two models on word problems reach the figures of the samples' own table", async () => {
  const { cells, notes } = await evaluate(["ember-base", "ember-maths"], ["maths.jsonl"]);
  const [base, tuned] = cells as [EvaluationCell, EvaluationCell];
  expect(notes).toEqual([]);
  expect(base).toMatchObject({ model: "ember-base", rows: 48, bytes: 10119, difference: null });
  // public/samples/README.md, made with torch, has three decimals.
  expect(Math.abs((base.bitsPerByte ?? 0) - 4.242)).toBeLessThanOrEqual(6e-4);
  expect(Math.abs((tuned.bitsPerByte ?? 0) - 1.663)).toBeLessThanOrEqual(6e-4);
  for (const { bitsPerByte, interval } of cells) {
    expect(interval?.[0]).toBeLessThan(bitsPerByte as number);
    expect(interval?.[1]).toBeGreaterThan(bitsPerByte as number);
  }
  const change = (tuned.bitsPerByte ?? 0) - (base.bitsPerByte ?? 0);
  expect(tuned.difference?.mean).toBeCloseTo(change, 10);
  expect(tuned.difference?.interval?.[1]).toBeLessThan(-2);
});

test("chats count where the model has a template, and are named where it has none", async () => {
  const { cells, notes } = await evaluate(["ember-base", "ember-chat"], ["mixed.jsonl"]);
  expect(cells.map(({ model, rows, bytes }) => [model, rows, bytes])).toEqual([
    ["ember-base", 1, 22],
    ["ember-chat", 2, 22 + 2],
  ]);
  expect(notes).toEqual([
    "ember-base on mixed.jsonl: 1 chats were left out, because the model has no chat template.",
  ]);
});

test("system texts go into the first question where the template takes no system role", async () => {
  const chat = (content: string, system: string | null) => {
    const said = system === null ? [] : [{ role: "system", content: system }];
    const turns = [...said, { role: "user", content }, { role: "assistant", content: "Hi" }];
    return droppedFile("system.jsonl", JSON.stringify({ messages: turns }));
  };
  for (const [name, file] of [
    ["apart", chat("Hello", "Be brief.")],
    ["joined", chat("Be brief.\n\nHello", null)],
  ] as const) {
    const { file: blob } = file;
    const renamed = { path: `${name}.jsonl`, file: new File([blob], `${name}.jsonl`) };
    expect(await run({ kind: "dataset", files: [renamed] })).toMatchObject({ state: "done" });
  }
  for (const { id, name } of await engine.listDatasets()) datasets.set(name, id);
  const refused = await evaluate(["ember-strict"], ["apart.jsonl"]);
  expect(refused.cells).toMatchObject([{ rows: 0 }]);
  expect(refused.notes?.[0]).toContain("no system role");
  const moved = await evaluate(["ember-strict"], ["apart.jsonl"], { systemIntoUser: true });
  const written = await evaluate(["ember-strict"], ["joined.jsonl"]);
  expect(moved.cells[0]?.natsPerToken).toBeGreaterThan(0);
  expect(moved.cells[0]?.natsPerToken).toBe(written.cells[0]?.natsPerToken);
  for (const name of ["apart.jsonl", "joined.jsonl"]) {
    await engine.deleteDataset(idOf(datasets, name));
  }
});

test("a chat is continued with the model's own template", async () => {
  const model = idOf(models, "ember-chat");
  expect(await engine.describeLanguage(model)).toMatchObject({ chats: true });
  let prompt = 0;
  const generation = await engine.generate(
    {
      model,
      maxTokens: 3,
      topCount: 0,
      prompt: { kind: "chat", turns: [{ role: "user", content: "Hello" }] },
      sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: 0 },
    },
    {
      onEvent(event) {
        if (event.type === "prompt") prompt = event.tokens;
      },
    },
  );
  expect(generation.tokens).toBeGreaterThan(0);
  expect(prompt).toBeGreaterThan(4);
});

test("a cancelled evaluation goes on with the pairs that it has not done", async () => {
  const request: JobRequest = {
    kind: "evaluate",
    datasets: [idOf(datasets, "maths.jsonl")],
    rows: 20,
    models: ["ember-maths", "ember-base"].map((name) => idOf(models, name)),
  };
  const whole = await run(request);
  const labels: string[] = [];
  const controller = new AbortController();
  let id = "";
  let end = () => {};
  const watching = engine.watch(undefined, {
    signal: controller.signal,
    onEvent(event) {
      if (event.type !== "job" || event.job.id !== id) return;
      labels.push(event.job.progress.label);
      if (event.job.state !== "running") end();
    },
  });
  const settled = () => new Promise<void>((resolve) => (end = resolve));
  let ended = settled();
  id = (await engine.startJob(request)).id;
  while (!labels.some((label) => label.startsWith("ember-base on"))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await engine.controlJob({ job: id, do: "cancel" });
  await ended;
  labels.length = 0;
  ended = settled();
  await engine.controlJob({ job: id, do: "resume" });
  await ended;
  controller.abort();
  await watching;
  expect(labels.some((label) => label.startsWith("ember-base on"))).toBe(true);
  expect(labels.some((label) => label.startsWith("ember-maths on"))).toBe(false);
  const card = (await engine.listJobs()).find((job) => job.id === id);
  expect(card?.result?.evaluation).toEqual(whole.result?.evaluation);
  expect(card?.result?.notes).toEqual([
    "maths.jsonl: 20 of 48 rows, drawn at random, the same for every model.",
  ]);
});

test("a deleted dataset is gone from the list and from evaluations", async () => {
  const id = idOf(datasets, "mixed.jsonl");
  await engine.deleteDataset(id);
  expect((await engine.listDatasets()).map(({ name }) => name)).not.toContain("mixed.jsonl");
  const request = { kind: "evaluate", models: [...models.values()], datasets: [id], rows: 1 };
  await expect(engine.startJob(request as JobRequest)).rejects.toMatchObject({
    code: "missing-file",
  });
});

test("a file without a row that can be read becomes no dataset, and says why", async () => {
  const file = droppedFile("odd.jsonl", `{"nothing":1}`);
  expect(await run({ kind: "dataset", files: [file] })).toMatchObject({
    state: "failed",
    failure: { code: "usage", details: { file: "odd.jsonl" } },
  });
  expect(await engine.listDatasets()).toHaveLength(1);
});
