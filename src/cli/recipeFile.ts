import { basename, dirname } from "node:path";
import {
  EngineError,
  type Finding,
  type ParsedRecipe,
  type Recipe,
} from "../engine/contract/index.ts";
import { readAll } from "../engine/core/bytes.ts";
import { DEFAULT_BUDGET_BYTES } from "../engine/gpu/device.ts";
import { planStagesFromLibrary } from "../engine/merge/libraryPlan.ts";
import { requireRunnable } from "../engine/merge/plan/prepare.ts";
import { parseRecipe } from "../engine/merge/recipe/parseRecipe.ts";
import { stateProfile } from "../engine/merge/recipe/profiles.ts";
import { STUDIO } from "../engine/merge/run/version.ts";
import type { StagedPlan } from "../engine/merge/stages/prepareStages.ts";
import { isMixture } from "../engine/mixture/parseMixture.ts";
import { openFiles } from "../node/files.ts";
import { closing } from "./closing.ts";
import { earlierMergeKey } from "./earlierKeys.ts";
import { fingerprintOf } from "./jobContext.ts";
import { markModel } from "./openModel.ts";
import { openRecipeModels, type RecipeModels } from "./recipeModels.ts";
import { describeVocabulary } from "./vocabularyTable.ts";

const LARGEST_RECIPE_BYTES = 2 ** 20;

/** A recipe on disk, with its plan over the folders that it names. */
export interface PlannedRecipe {
  readonly planned: StagedPlan;
  /** The recipe that was planned, with its profile. */
  readonly recipe: Recipe;
  /** Hash of the recipe and of its models' files. */
  readonly key: string;
  /** Keys that an earlier version had for the same merge. */
  readonly earlier: readonly string[];
  readonly models: RecipeModels;
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
    const text = new TextDecoder().decode(await readAll(source, LARGEST_RECIPE_BYTES));
    if (!isMixture(text)) return parseRecipe(text);
    throw new EngineError(
      "bad-recipe",
      `${path} is a config of mergekit-moe, which makes a mixture of experts:  studio moe ${path} OUT`,
      { path },
    );
  });
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
  const models = openRecipeModels(dirname(path));
  const { opened, close } = models;
  const planning = { library: models, gpuProvider: { budgetBytes: DEFAULT_BUDGET_BYTES } };
  const prepare = (recipe: Recipe) =>
    planStagesFromLibrary(planning, recipe, shardBytes, { lines });
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
    return { planned: await prepare(recipe), recipe, key, earlier: [earlier] };
  };
  const planAll = async () => {
    const recipe = stateProfile(consented);
    const today = { planned: await prepare(recipe), recipe, key: await keyOf(recipe), earlier: [] };
    const found = begun === null || begun === today.key ? today : ((await planEarlier()) ?? today);
    const said = [...findings, ...found.planned.card.findings];
    for (const finding of said) if (finding.severity !== "error") options.say(describe(finding));
    for (const line of describeVocabulary(found.planned.card.vocabulary)) options.say(line);
    if (options.strict) refuseIgnored(said);
    requireRunnable(found.planned);
    return found;
  };
  const planned = await planAll().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    ...planned,
    models,
    bytesRead: () => [...opened.values()].reduce((sum, { files }) => sum + files.bytesRead(), 0),
    close,
  };
}
