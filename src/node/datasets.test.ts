import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readDataset, summarizeDataset } from "../engine/text/datasets/datasets.ts";
import { openFiles } from "./files.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

async function withFile<T>(
  path: string,
  use: (...args: Parameters<typeof readDataset>) => Promise<T>,
): Promise<T> {
  const opened = await openFiles(path);
  try {
    const [[name, source]] = [...opened.files] as [[string, Parameters<typeof readDataset>[0]]];
    return await use(source, name);
  } finally {
    await opened.close();
  }
}

/** Every file of zoo/chat: texts, chats, and what cannot be read with the row it begins at. */
const CHAT_FILES: Readonly<Record<string, readonly [number, number, ...unknown[]]>> = {
  "alpaca_seed_tasks.jsonl": [0, 175],
  "arena_hard_question.jsonl": [0, 500],
  "dolly_sample.jsonl": [0, 151],
  "fastchat_dummy_conversation.json": [0, 500],
  "gsm8k_test.jsonl": [0, 1319],
  "gsm8k_train.jsonl": [0, 7473],
  "humaneval.jsonl": [0, 164],
  "llamafactory_c4_demo.jsonl": [300, 0],
  "llamafactory_dpo_en_demo.json": [0, 300],
  "llamafactory_glaive_toolcall_en_demo.json": [0, 300],
  "llamafactory_identity.json": [0, 91],
  "llamafactory_kto_en_demo.json": [
    0,
    150,
    { reason: "an answer that is labelled as bad", count: 150 },
  ],
  "llamafactory_reason_tool_use_demo_50.jsonl": [0, 50],
  "llamafactory_v1_sft_demo.jsonl": [0, 500],
  "mt_bench_question.jsonl": [0, 80],
  "mt_bench_reference_gpt4.jsonl": [0, 0, { reason: "answers without their questions", count: 30 }],
  "oasst_en_100_message.jsonl": [0, 100],
  "selfinstruct_user_oriented.jsonl": [0, 252],
  "vicuna_bench_question.jsonl": [0, 80],
  "vicuna_bench_reference_gpt4.jsonl": [
    0,
    0,
    { reason: "answers without their questions", count: 10 },
  ],
};
/** Not data: a description and a catalogue. */
const NOT_DATA = ["SOURCES.md", "llamafactory_dataset_info.json"];

describe.skipIf(!hasTestData)("datasets of zoo/chat", () => {
  test("no file is forgotten", () => {
    const there = readdirSync(testDataPath("zoo", "chat")).filter(
      (file) => !NOT_DATA.includes(file),
    );
    expect(there.sort()).toEqual(Object.keys(CHAT_FILES).sort());
  });

  test.each(Object.entries(CHAT_FILES))(
    "%s is read whole",
    async (file, [texts, chats, ...problems]) => {
      const summary = await withFile(testDataPath("zoo", "chat", file), summarizeDataset);
      const found = summary.problems.map(({ reason, count }) => ({ reason, count }));
      expect([summary.texts, summary.chats, ...found]).toEqual([texts, chats, ...problems]);
    },
  );

  test.each(Object.keys(CHAT_FILES))(
    "%s alternates between sides or says who speaks",
    async (file) => {
      await withFile(testDataPath("zoo", "chat", file), async (source, name) => {
        for await (const entry of readDataset(source, name)) {
          if (!("row" in entry) || entry.row.kind !== "chat") continue;
          for (const { role, content } of entry.row.messages) {
            expect(["system", "user", "assistant", "tool"]).toContain(role);
            expect(typeof content).toBe("string");
          }
        }
      });
    },
  );

  test("plain texts and sample texts are read", async () => {
    const text = testDataPath("zoo", "corpora", "tinystories_sample.txt");
    expect((await withFile(text, summarizeDataset)).texts).toBeGreaterThan(0);
    const sample = testDataPath("samples", "texts", "tales.jsonl");
    const { texts, problems } = await withFile(sample, summarizeDataset);
    expect([texts > 0, problems]).toEqual([true, []]);
  });
});
