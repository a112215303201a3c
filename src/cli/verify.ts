import { join, resolve } from "node:path";
import * as v from "valibot";
import { parse } from "yaml";
import type { Checkpoint } from "../engine/checkpoint/checkpoint.ts";
import { EngineError } from "../engine/contract/index.ts";
import { methods } from "../engine/merge/registry.ts";
import { openGpuProvider } from "../node/gpuProvider.ts";
import { closing } from "./closing.ts";
import type { Command } from "./command.ts";
import { listAlignmentCases } from "./goldens/alignment/cases.ts";
import { findAlignmentGoldens } from "./goldens/alignment/files.ts";
import { fuseLlmCases } from "./goldens/alignment/fusellm.ts";
import { type Bench, runFolderCase, runMethodCase, runVarmCase } from "./goldens/cases.ts";
import type { Comparison } from "./goldens/compare.ts";
import { type ConfigCases, mayRefuse, runConfigCase } from "./goldens/configCases.ts";
import { readExtractCase, runExtractCase } from "./goldens/extractCases.ts";
import {
  type Manifest,
  readConfigCases,
  readManifest,
  readMethodCase,
} from "./goldens/manifest.ts";
import { REFUSED_SINCE_0_1_5, SINCE_0_1_5 } from "./goldens/since015.ts";
import { DareStatisticsSchema, runDareStatistics } from "./goldens/statistics.ts";
import { openModel } from "./openModel.ts";

interface CaseToRun {
  readonly method: string;
  readonly name: string;
  /** Whether a refusal is a correct answer. */
  readonly mayRefuse: boolean;
  readonly mustRefuse: boolean;
  run(bench: Bench): Promise<Comparison>;
}

interface Skipped {
  readonly method: string;
  readonly name: string;
  readonly reason: string;
}

interface CaseResult {
  readonly method: string;
  readonly name: string;
  readonly passed: boolean;
  readonly maxAbsError: number | null;
  readonly bound: number | null;
}

/** Reason why a recipe of the goldens is skipped, or null. */
function reasonToSkip(yaml: string): string | null {
  const recipe = parse(yaml, { version: "1.1", uniqueKeys: false }) as Record<string, unknown>;
  if (methods.has(String(recipe.merge_method)) || recipe.merge_method === undefined) return null;
  return `the method ${recipe.merge_method} is not built`;
}

/** mergekit's plans of recipes, which need no GPU. */
function listPlans({ models, cases }: ConfigCases): readonly (CaseToRun | Skipped)[] {
  return cases.map((one) => {
    const about = { method: "config", name: `config/${one.id}` };
    const reason = one.error == null ? reasonToSkip(one.yaml) : null;
    if (reason !== null) return { ...about, reason };
    const refused = one.error != null || REFUSED_SINCE_0_1_5.includes(one.id);
    return {
      ...about,
      ...refusal(refused ? "error" : mayRefuse(one, models) ? "unstable" : "value"),
      run: async () => runConfigCase(one, models),
    };
  });
}

/** DARE's statistics; those of unsupported methods are skipped. */
function listStatistics(manifest: Manifest): readonly (CaseToRun | Skipped)[] {
  return (manifest.random_stats ?? []).map((entry, i) => {
    const about = { method: "random_stats", name: `random_stats/${entry.kind}-${i}` };
    const parsed = v.safeParse(DareStatisticsSchema, entry);
    if (!parsed.success) return { ...about, reason: `statistics of ${entry.kind} are not built` };
    const run = (bench: Bench) => runDareStatistics(parsed.output, bench);
    return { ...about, mayRefuse: false, mustRefuse: false, run };
  });
}

/** Entries of a section, which is a list or has one in `cases`. */
function entriesOf(found: unknown): readonly unknown[] {
  const inside = (found as { readonly cases?: unknown } | undefined)?.cases;
  return Array.isArray(found) ? found : Array.isArray(inside) ? inside : [];
}

/** Extractions of a LoRA, as mergekit-extract-lora does them. */
function listExtractions({ misc }: Manifest): readonly CaseToRun[] {
  const { file = "misc.safetensors" } = (misc ?? {}) as { readonly file?: string };
  return entriesOf(misc).flatMap((entry) => {
    const one = readExtractCase(entry);
    if (!one) return [];
    const about = { method: "extract", name: one.id, mayRefuse: false, mustRefuse: false };
    return [{ ...about, run: (bench: Bench) => runExtractCase(one, file, bench) }];
  });
}

/** Sections that no command runs yet, as skipped entries. */
function otherSections(manifest: Manifest): readonly Skipped[] {
  return (["misc"] as const).flatMap((section) => {
    const found = manifest[section];
    if (found === undefined) return [];
    const listed = entriesOf(found);
    const entries = (listed.length > 0 ? listed : [{}]) as { id?: string; kind?: string }[];
    const others = entries.filter((entry) => readExtractCase(entry) === null);
    return others.map((entry, i) => ({
      method: section,
      name: entry.id ?? `${section}/${entry.kind ?? "all"}${entries.length > 1 ? `-${i}` : ""}`,
      reason: `the section ${section} is not built`,
    }));
  });
}

/**
 * Alignment, vocabulary maps and fusion, where a folder has goldens of them, or FuseLLM's own rows.
 */
async function listAlignment(folder: string): Promise<readonly CaseToRun[]> {
  const found = findAlignmentGoldens(folder);
  const goldens = found === undefined ? [] : await listAlignmentCases(found);
  const cases = [...goldens, ...(await fuseLlmCases(folder))];
  const about = { method: "alignment", mayRefuse: false, mustRefuse: false };
  return cases.map(({ name, run }) => ({ ...about, name, run: async (bench) => run(bench) }));
}

/** Expected refusal of the manifest's `expect`. */
function refusal(expect: string) {
  const mustRefuse = expect === "error" || expect === "nonfinite";
  return { mustRefuse, mayRefuse: mustRefuse || expect === "unstable" };
}

function listCases(manifest: Manifest, plans: ConfigCases | undefined) {
  const run: CaseToRun[] = [...listExtractions(manifest)];
  const skipped: Skipped[] = [...otherSections(manifest)];
  for (const one of manifest.cases) {
    const { method, id: name } = one;
    if (!methods.has(method)) {
      skipped.push({ method, name, reason: `the method ${method} is not built` });
      continue;
    }
    const whole = readMethodCase(one);
    run.push({
      method,
      name,
      ...refusal(name in SINCE_0_1_5 ? "value" : whole.expect),
      run: (bench) => runMethodCase(whole, bench),
    });
  }
  for (const one of [...listStatistics(manifest), ...(plans ? listPlans(plans) : [])]) {
    if ("run" in one) run.push(one);
    else skipped.push(one);
  }
  for (const one of manifest.varm?.cases ?? []) {
    const about = { method: "varm", name: one.id, ...refusal(one.expect) };
    run.push({ ...about, run: (bench) => runVarmCase(one, bench) });
  }
  const e2e = manifest.e2e;
  for (const one of e2e?.cases ?? []) {
    const reason = reasonToSkip(one.yaml);
    if (reason !== null) {
      skipped.push({ method: "e2e", name: one.id, reason });
      continue;
    }
    const about = { method: "e2e", name: one.id, ...refusal(one.error ? "error" : "value") };
    run.push({ ...about, run: (bench) => runFolderCase(one, e2e?.dir ?? "e2e", bench) });
  }
  return { run, skipped };
}

async function judge(one: CaseToRun, bench: Bench): Promise<CaseResult & { why: string }> {
  const { method, name } = one;
  try {
    const { passed, maxAbsError, bound } = await one.run(bench);
    if (one.mustRefuse) {
      const why = "it had to be refused, and was not";
      return { method, name, passed: false, maxAbsError: null, bound: null, why };
    }
    return { method, name, passed, maxAbsError, bound, why: `${maxAbsError} > ${bound}` };
  } catch (error) {
    bench.signal.throwIfAborted();
    const foreseen = error instanceof EngineError && !error.code.startsWith("gpu");
    const passed = one.mayRefuse && foreseen && error.code !== "internal";
    return { method, name, passed, maxAbsError: null, bound: null, why: String(error) };
  }
}

/** Opens the goldens' files and folders once each, and closes them together. */
function openOnce(folder: string) {
  const opened = new Map<string, Promise<Checkpoint>>();
  const closers: (() => Promise<void>)[] = [];
  const openNow = async (path: string) => {
    const { checkpoint, files } = await openModel(join(folder, path));
    closers.push(files.close);
    return checkpoint;
  };
  return {
    open(path: string): Promise<Checkpoint> {
      const checkpoint = opened.get(path) ?? openNow(path);
      opened.set(path, checkpoint);
      return checkpoint;
    },
    close: async () => {
      for (const close of closers) await close();
    },
  };
}

/** `studio verify`: compares the engine with goldens of the reference implementations. */
export const verify: Command = {
  positionals: ["DIR"],
  summary: "Runs every case of a golden folder and compares by the folder's own tolerances.",
  options: { adapter: { value: "NAME", help: "Part of the GPU's name." } },
  async run({ positionals: [path = ""], options, signal, say }) {
    const folder = resolve(path);
    const alignment = await listAlignment(folder);
    const manifest = await readManifest(folder, alignment.length > 0);
    const { run, skipped } = listCases(manifest, await readConfigCases(folder, manifest));
    run.push(...alignment);
    const gpuProvider = await openGpuProvider(options.adapter);
    const cases = await closing(async (keep) => {
      const bench: Bench = { gpuProvider, signal, open: keep(openOnce(folder)).open };
      const judged: CaseResult[] = [];
      for (const one of run) {
        signal.throwIfAborted();
        const { why, ...result } = await judge(one, bench);
        if (!result.passed) say(`FAILED ${result.name}: ${why}`);
        judged.push(result);
      }
      return judged;
    });
    const failed = cases.filter((result) => !result.passed).length;
    const passed = cases.length - failed;
    const reasons = new Map<string, number>();
    for (const { reason } of skipped) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    const lines = [...reasons].map(([reason, count]) => `skipped ${count}: ${reason}`);
    return {
      json: { passed, failed, skipped: skipped.length, cases, skippedCases: skipped },
      text: [...lines, `${passed} passed, ${failed} failed, ${skipped.length} skipped`].join("\n"),
      failed: failed > 0,
    };
  },
};
