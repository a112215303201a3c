import { basename, resolve } from "node:path";
import {
  ADAPTER_METHODS,
  type AdapterMergeRequest,
  EngineError,
} from "../engine/contract/index.ts";
import {
  type AdapterMergeState,
  mergeAdaptersInLibrary,
  planAdapterMerge,
} from "../engine/merge/adapters/adapterJob.ts";
import { STUDIO } from "../engine/merge/run/version.ts";
import { readGivenModels } from "../node/givenModels.ts";
import { openOutputFolder } from "../node/outputFolder.ts";
import { requireOutside } from "../node/outputPlace.ts";
import { readChoice } from "./choices.ts";
import { closing } from "./closing.ts";
import { type Call, type Command, formatBytes } from "./command.ts";
import { fingerprintOf, jobContext } from "./jobContext.ts";
import { readNumber } from "./languageModel.ts";
import { markModel, openModel } from "./openModel.ts";

const METHODS = ADAPTER_METHODS.map(({ id }) => id);

/** `studio merge-adapters`: merges PEFT adapters of one base into one, without the base. */
export const mergeAdapters: Command = {
  positionals: ["ADAPTER", "OUT"],
  summary:
    "Merges PEFT adapters of one base into one, by PEFT's ways or in Core Space or KnOTS. Needs no GPU.",
  options: {
    with: { value: "ADAPTER", help: "Another adapter; may be repeated.", many: true },
    weights: { value: "W,W", help: "A weight for each adapter, in their order; 1 by default." },
    method: { value: "METHOD", help: `cat (the default), ${METHODS.slice(1).join(", ")}.` },
    density: { value: "D", help: "Share that ties, dare and magnitude_prune keep; 1 by default." },
    rank: { value: "N", help: "Rank of the result; the method's own by default." },
    vote: { value: "VOTE", help: "TIES' vote: total (the default) or frequency." },
    seed: { value: "N", help: "Seed of what DARE drops; 0 by default." },
  },
  run: (call) =>
    closing(async (keep) => {
      const { positionals, options, say } = call;
      const [first = "", target = ""] = positionals;
      const paths = [first, ...(options.with?.split("\n") ?? [])].map((path) => resolve(path));
      const request = readRequest(paths, options);
      const given = [];
      const marks: string[] = [];
      for (const path of paths) {
        const opened = await openModel(path);
        keep(opened.files);
        marks.push(await markModel(opened));
        given.push({ id: path, name: basename(path), checkpoint: opened.checkpoint });
      }
      const models = readGivenModels(given);
      await planAdapterMerge(models, request); // refused before the folder is made
      const out = resolve(target);
      await requireOutside(out, paths);
      const output = keep(
        await openOutputFolder(out, fingerprintOf(STUDIO.version, request, marks), []),
      );
      if (output.resumedBytes > 0) say(`Resuming: ${formatBytes(output.resumedBytes)} are done.`);
      await mergeAdaptersInLibrary(
        { ...models, begin: output.begin, resume: output.resume },
        { ...request, name: basename(out) },
        jobContext<AdapterMergeState>(call, {
          id: "terminal",
          state: null,
          save: async () => undefined,
        }),
      );
      const bytesWritten = output.bytesWritten();
      return {
        json: { method: request.method, adapters: paths.length, bytesWritten },
        text: `${out}: ${paths.length} adapters merged by ${request.method}, ${formatBytes(bytesWritten)}`,
      };
    }),
};

function readRequest(paths: readonly string[], options: Call["options"]): AdapterMergeRequest {
  const weights = options.weights?.split(",").map((word) => Number(word.trim() || Number.NaN));
  if (weights && (weights.length !== paths.length || weights.some((it) => !Number.isFinite(it)))) {
    throw new EngineError(
      "usage",
      `--weights is "${options.weights}"; it must have a number for each of the ${paths.length} adapters.`,
      { option: "weights", adapters: paths.length },
    );
  }
  const whole = (name: string, fallback: number, min: number) =>
    readNumber(options, name, fallback, { min, max: 2 ** 31, whole: true });
  return {
    adapters: paths.map((model, i) => ({ model, weight: weights?.[i] ?? 1 })),
    method: readChoice(options, "method", METHODS) ?? "cat",
    density: readNumber(options, "density", 1, { min: 0, max: 1 }),
    rank: options.rank === undefined ? null : whole("rank", 1, 1),
    seed: whole("seed", 0, 0),
    vote: readChoice(options, "vote", ["total", "frequency"] as const) ?? "total",
  };
}
