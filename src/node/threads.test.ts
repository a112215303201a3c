import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EngineError } from "../engine/contract/index.ts";
import { createPool } from "../engine/core/threadPool.ts";
import { minedTargets } from "../engine/fuse/align/maps/mined.ts";
import { testVocabulary } from "../engine/fuse/align/maps/testVocabulary.ts";
import { openPooledGrouper } from "../engine/fuse/align/pooledGrouper.ts";
import { alignTasks } from "../engine/fuse/align/tasks.ts";
import { watchTemplates } from "../engine/text/templates/task.ts";
import { createChatTemplate } from "../engine/text/templates/template.ts";
import { nodeThreads } from "./threads.ts";

let folder: string;

/** A bundle of the thread's script, as bin/bundle.mjs puts one beside the terminal's. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusestudio-threads-"));
  await build({
    configFile: false,
    logLevel: "error",
    publicDir: false,
    ssr: { noExternal: true },
    build: {
      ssr: "src/node/thread.ts",
      outDir: folder,
      target: "node20",
      rolldownOptions: { output: { entryFileNames: "thread.mjs" } },
    },
  });
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const PIVOT = testVocabulary("<unk> <s> </s> ▁I ▁get ▁up ▁early .".split(" "));
const SOURCE = testVocabulary("<unk> <s> </s> ĠI Ġge t Ġup Ġear ly .".split(" "), { marker: "Ġ" });

/** The line over which pieces and answers go, not the speed. */
test("threads of Node answer as the calling thread does", async () => {
  const threads = nodeThreads(join(folder, "thread.mjs"));
  expect(threads?.count).toBeGreaterThan(0);
  const text = { ids: Uint32Array.of(1, 3, 4, 5, 6, 7), ends: new Uint32Array(6) };
  const other = { ids: Uint32Array.of(1, 3, 4, 5, 6, 7, 8, 9), ends: new Uint32Array(8) };
  const [apart, here] = await Promise.all(
    [threads, undefined].map(async (given) => {
      const pool = createPool(alignTasks, given);
      const mined = await minedTargets(PIVOT, SOURCE, pool);
      const grouper = openPooledGrouper(pool, "fusechat-v1", PIVOT, SOURCE);
      const groupings = await Promise.all([
        grouper.group(text, other),
        grouper.group(other, text),
        grouper.group(text, text),
      ]);
      grouper.close();
      return { mined, groupings };
    }),
  );
  expect(apart).toEqual(here);
  // `ly` goes with `early`.
  expect([...apart!.groupings[0]!.groups.positions]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect([...apart!.groupings[0]!.groups.offsets]).toEqual([0, 1, 2, 4, 5, 7, 8]);
});

test("a script that does not run leaves the work to the calling thread", async () => {
  const threads = nodeThreads(join(folder, "thread.mjs"))!;
  const broken = { ...threads, start: () => nodeThreads(import.meta.filename)!.start() };
  const targets = await minedTargets(PIVOT, SOURCE, createPool(alignTasks, broken));
  expect(targets).toHaveLength(SOURCE.size);
});

test("the thread of a template that takes too long is ended while it works", async () => {
  const watchdog = watchTemplates(nodeThreads(join(folder, "thread.mjs")));
  const parts = { file: "chat_template.jinja", tokens: {}, ends: [] };
  // Text after text of 8 Mi letters in title case: the renderer itself gives up after two seconds.
  const source =
    "{% set ns = namespace(s='a b c d ') %}{% for i in range(20) %}{% set ns.s = ns.s + ns.s %}{% endfor %}" +
    "{% for i in range(9) %}{{ ns.s | title | length }}{% endfor %}";
  const options = { addGenerationPrompt: false };
  const messages = [{ role: "user", content: "Hi" }];
  const begun = performance.now();
  const busy = watchdog.run(
    "template",
    { ...parts, source },
    { messages, options, finds: false },
    { milliseconds: 200, fail: (why) => new EngineError("bad-config", `It ${why}.`) },
  );
  await expect(busy).rejects.toThrow("was stopped");
  const plain = { ...parts, source: "{{ messages[0].content }}" };
  const template = await createChatTemplate(plain, watchdog);
  expect(await template.renderChat(messages, options)).toBe("Hi");
  // Less than its own bound: it was not waited for.
  expect(performance.now() - begun).toBeLessThan(2000);
  watchdog.close();
});

test("without a script there are no threads", () => {
  expect(nodeThreads(join(folder, "missing.js"))).toBeUndefined();
});
