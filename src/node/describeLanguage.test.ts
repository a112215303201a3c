import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Checkpoint } from "../engine/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import type { ModelCard } from "../engine/contract/index.ts";
import { findRunnable } from "../engine/runtime/language/findRunnable.ts";
import { describeLanguage, keepLanguageTexts } from "../engine/runtime/language/languageFiles.ts";
import { USUAL_TOKENS } from "../engine/runtime/language/runnable.ts";
import { watchTemplates } from "../engine/text/templates/task.ts";
import { openFiles } from "./files.ts";

let checkpoint: Checkpoint;
let close: () => Promise<void>;

beforeAll(async () => {
  const opened = await openFiles(join("public", "samples", "ember-base"));
  checkpoint = await openCheckpoint(opened.files, "ember-base");
  close = opened.close;
});
afterAll(() => close());

const spaceOf = (freeBytes: number) => ({ freeBytes, bindingBytes: 2 ** 27 });
const describeWithin = (freeBytes: number) => {
  const library = { card: async () => ({}) as ModelCard, open: async () => checkpoint };
  const parts = {
    library,
    openText: keepLanguageTexts(watchTemplates()),
    space: spaceOf(freeBytes),
  };
  return describeLanguage("id", parts);
};

test("a card says that layers stream exactly where loading will stream them", async () => {
  const { weightBytes, findRoom } = findRunnable(checkpoint);
  let streamed = 0;
  for (let budget = 2 ** 21; budget <= 2 ** 23; budget += 2 ** 18) {
    const card = await describeWithin(budget);
    expect(card.streamed, `${budget}`).toBe(findRoom(spaceOf(budget), USUAL_TOKENS) === "streamed");
    streamed += Number(card.streamed);
  }
  expect(streamed).toBeGreaterThan(0);
  expect(streamed).toBeLessThan(24);
  // The weights alone would fit; with what a usual text takes beside them they do not.
  expect(await describeWithin(weightBytes + 2 ** 18)).toMatchObject({ streamed: true });
});

test("a model that does not fit layer by layer is said not to run, and why", async () => {
  expect(await describeWithin(2 ** 18)).toMatchObject({
    failure: { code: "gpu-memory", message: expect.stringContaining("262144 bytes. Raise") },
    streamed: false,
  });
});
