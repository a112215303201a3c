import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { Checkpoint } from "../engine/checkpoint/checkpoint.ts";
import {
  EngineError,
  type Finding,
  type ParsedRecipe,
  type Recipe,
} from "../engine/contract/index.ts";
import { readAll } from "../engine/core/bytes.ts";
import { shorten } from "../engine/core/json.ts";
import { examineModels } from "../engine/merge/plan/examine.ts";
import type { Plan } from "../engine/merge/plan/outputTensor.ts";
import { prepareMerge, requireRunnable } from "../engine/merge/plan/prepare.ts";
import { parseRecipe } from "../engine/merge/recipe/parseRecipe.ts";
import { stateProfile } from "../engine/merge/recipe/profiles.ts";
import { STUDIO } from "../engine/merge/run/version.ts";
import { openFiles } from "../node/files.ts";
import { locateModel } from "../node/hubCache.ts";
import { closing } from "./closing.ts";
import { earlierMergeKey } from "./earlierKeys.ts";
import { fingerprintOf } from "./jobContext.ts";
import { markModel, type OpenModel, openModel } from "./openModel.ts";

const LARGEST_RECIPE_BYTES = 2 ** 20;

/** A recipe on disk, with its plan over the folders that it names. */
export interface PlannedRecipe {
  readonly plan: Plan;
  /** Hash of the recipe and of its models' files. */
  readonly key: string;
  /** Keys that an earlier version had for the same merge. */
  readonly earlier: readonly string[];
  /** Folders and files of its models. */
  readonly places: readonly string[];
  bytesRead(): number;
  close(): Promise<void>;
}

async function readRecipe(path: string): Promise<ParsedRecipe> {
  return closing(async (keep) => {
    const { files } = keep(await openFiles(path));
    const source = files.get(basename(path));
    if (!source || files.size !== 1 || source.byteLength > LARGEST_RECIPE_BYTES) {
      throw new EngineError(
        "bad-recipe",
        `${path} is not a recipe: it must be one YAML file of at most ${LARGEST_RECIPE_BYTES} bytes.`,
        { path },
      );
    }
    return parseRecipe(new TextDecoder().decode(await readAll(source, LARGEST_RECIPE_BYTES)));
  });
}

/** Error for a Hub id without a local folder, with the command that downloads it. */
function missingModel(model: string, folder: string): EngineError {
  if (/[^/]\+[^/]/.test(model)) {
    throw new EngineError(
      "missing-file",
      `There is no model "${model}" beside the recipe, in ${folder}. In mergekit "model+adapter" merges an adapter into the model first; adapters are not inputs here yet. Merge it with peft, merge_and_unload(), and name the result.`,
      { model, folder },
    );
  }
  const hub = /^[\w.-]+\/[\w.-]+$/.test(model);
  const help = hub
    ? ` If it is a model of the Hub, download it first:  hf download ${model} --local-dir ${JSON.stringify(resolve(folder, model))}`
    : "";
  return new EngineError(
    "missing-file",
    shorten(`There is no model "${model}" beside the recipe, in ${folder}.${help}`),
    { model: model.slice(0, 120), folder },
  );
}

function describe({ severity, message, line }: Finding): string {
  return line === undefined ? `${severity}: ${message}` : `${severity}: line ${line}: ${message}`;
}

/** `bad-recipe` with the first key or parameter without effect. */
function refuseIgnored(findings: readonly Finding[]): void {
  const ignored = findings.filter(
    ({ code, severity }) => code === "bad-recipe" && severity !== "error",
  );
  const [first] = ignored;
  if (!first) return;
  const more = ignored.length > 1 ? ` (${ignored.length - 1} more of these.)` : "";
  const where = first.line === undefined ? "" : `Line ${first.line}: `;
  throw new EngineError("bad-recipe", `${where}${first.message}${more}`, {
    ...(first.line === undefined ? {} : { line: first.line }),
    ignored: ignored.length,
  });
}

/**
 * Reads a recipe and plans it; throws what forbids the merge and says the rest. What version 0.1.0 began
 * is planned as that version meant the recipe: by the papers' profile.
 */
export async function planRecipe(
  path: string,
  options: {
    readonly shardBytes: number;
    /** The key of the unfinished merge that is to be gone on with. */
    readonly begun?: string | null;
    readonly strict?: boolean;
    readonly copyCode?: boolean;
    say(line: string): void;
  },
): Promise<PlannedRecipe> {
  const { recipe: stated, findings, lines } = await readRecipe(path);
  const { shardBytes, begun = null } = options;
  const consented = { ...stated, ...(options.copyCode ? { copyCode: true as const } : {}) };
  const folder = dirname(path);
  const opened = new Map<string, OpenModel>();
  const close = async () => {
    for (const { files } of opened.values()) await files.close();
  };
  const open = async (model: string): Promise<Checkpoint> => {
    const place = await locateModel(resolve(folder, model), model);
    const known = opened.get(place);
    if (known) return known.checkpoint;
    if (!(await stat(place).catch(() => undefined))) throw missingModel(model, folder);
    const found = await openModel(place);
    opened.set(place, found);
    return found.checkpoint;
  };
  const prepare = (recipe: Recipe) =>
    prepareMerge(recipe, { open, shardBytes, examine: examineModels, lines });
  const keyOf = async (recipe: Recipe, ...more: readonly string[]) => {
    const marks: (readonly [string, string])[] = [];
    for (const [place, model] of opened) marks.push([place, await markModel(model)]);
    const fingerprint = JSON.stringify([recipe, shardBytes, marks]);
    return fingerprintOf(STUDIO.version, fingerprint, ...more);
  };
  /** The plan of a merge that 0.1.0 began, or null where the one that was begun is no such merge. */
  const planEarlier = async () => {
    const earlier = await earlierMergeKey(stated, shardBytes, opened);
    const recipe = stateProfile(consented, "paper");
    const key = await keyOf(recipe, "begun by 0.1.0");
    if (begun !== earlier && begun !== key) return null;
    options.say("Going on with a merge of version 0.1.0, as that version meant its recipe.");
    return { plan: await prepare(recipe), key, earlier: [earlier] };
  };
  const planAll = async () => {
    const recipe = stateProfile(consented);
    const today = { plan: await prepare(recipe), key: await keyOf(recipe), earlier: [] };
    const found = begun === null || begun === today.key ? today : ((await planEarlier()) ?? today);
    const said = [...findings, ...found.plan.card.findings];
    for (const finding of said) if (finding.severity !== "error") options.say(describe(finding));
    if (options.strict) refuseIgnored(said);
    requireRunnable(found.plan);
    return found;
  };
  const planned = await planAll().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    ...planned,
    places: [...opened.keys()],
    bytesRead: () => [...opened.values()].reduce((sum, { files }) => sum + files.bytesRead(), 0),
    close,
  };
}
