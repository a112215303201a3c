import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { openCheckpoint } from "../src/engine/checkpoint/open.ts";
import type { Recipe } from "../src/engine/contract/index.ts";
import { prepareMerge } from "../src/engine/merge/plan/prepare.ts";
import { mergeInto } from "../src/engine/merge/run/merge.ts";
import { openFiles } from "../src/node/files.ts";
import { openFolderWriter } from "../src/node/folderWriter.ts";
import { openGpuProvider } from "../src/node/gpuProvider.ts";
import type { Answer, MergeRequest } from "./contenders.ts";

/** The recipe that bench/peers.py runs under the same name. */
function makeRecipe({ method, base, models }: MergeRequest): Recipe {
  const weighted = (folders: readonly string[], weight: number) =>
    folders.map((model) => ({ model, parameters: { weight } }));
  const plain = (folders: readonly string[]) => folders.map((model) => ({ model, parameters: {} }));
  switch (method) {
    case "linear":
      return { method, models: weighted([base, ...models], 1), parameters: {} };
    case "task_arithmetic":
      return { method, base, models: weighted(models, 0.5), parameters: {} };
    case "slerp":
      return { method, base, models: plain(models), parameters: { t: 0.4 } };
    case "varm":
      return { method, base, models: plain(models), parameters: {} };
  }
}

async function mergeOnce(
  request: MergeRequest,
  gpuProvider: Awaited<ReturnType<typeof openGpuProvider>>,
): Promise<Answer> {
  await rm(request.out, { recursive: true, force: true });
  const opened = new Map<string, Awaited<ReturnType<typeof openFiles>>>();
  const begun = performance.now();
  const plan = await prepareMerge(makeRecipe(request), {
    shardBytes: 5e9,
    async open(folder) {
      const files = opened.get(folder) ?? (await openFiles(folder));
      opened.set(folder, files);
      return openCheckpoint(files.files, folder);
    },
  });
  const writer = await openFolderWriter(request.out, "bench");
  try {
    await mergeInto(plan, writer, gpuProvider, {
      name: request.method,
      signal: new AbortController().signal,
    });
  } finally {
    await writer.close();
    for (const files of opened.values()) await files.close();
  }
  const seconds = (performance.now() - begun) / 1000;
  const gpuPool = (await gpuProvider.get()).pool.peakBytes;
  return { seconds, rss: process.resourceUsage().maxRSS * 1024, gpuPool };
}

/** Serves merges as bench/peers.py does: a request a line, an answer a line. */
export async function serveOurs(): Promise<void> {
  const gpuProvider = await openGpuProvider();
  const say = (answer: object) => console.log(JSON.stringify(answer));
  say({ version: (await gpuProvider.get()).name });
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(await mergeOnce(JSON.parse(line) as MergeRequest, gpuProvider));
    } catch (error) {
      say({ error: String(error).slice(0, 200) });
    }
  }
}
