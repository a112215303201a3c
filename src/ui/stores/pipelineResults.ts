import type {
  FusionId,
  JobId,
  MethodCard,
  ModelId,
  PipelineReport,
  Recipe,
} from "../../engine/contract/index.ts";
import { attempt, openPlayground, show } from "./actions.ts";
import { openFusion } from "./fusionActions.ts";
import type { Studio } from "./studio.ts";

/** Shows a pipeline in any state. */
export function openPipeline(studio: Studio, job: JobId): void {
  studio.pipeline.setState({ job });
  studio.fusion.setState({ tab: "pipeline" });
  show("fuse");
}

/** Shows the documents of a fused dataset. */
export function openDocuments(studio: Studio, fusion: FusionId): void {
  openFusion(studio, fusion);
  studio.fusion.setState({ tab: "documents" });
}

/** Opens models side by side in the Playground. */
export function compareModels(studio: Studio, models: readonly ModelId[]): void {
  studio.playground.setState({ chosen: models });
  openPlayground(studio, "try");
}

/** Prepares an evaluation of models, with the first as reference. */
export function evaluateModels(studio: Studio, models: readonly ModelId[]): void {
  studio.playground.draft({ models, reference: models[0] ?? null });
  openPlayground(studio, "evaluate");
}

/**
 * Recipe with FuseChat's profile stated, which is `paper` where reports of an earlier version state
 * none.
 */
function statePapers(recipe: Recipe, methods: readonly MethodCard[]): Recipe {
  const params = methods.find(({ id }) => id === recipe.method)?.params;
  const profile = params?.find(({ name }) => name === "profile");
  const open = recipe.parameters.profile === undefined;
  if (!open || profile?.kind !== "choice" || !profile.options.includes("paper")) return recipe;
  return { ...recipe, parameters: { ...recipe.parameters, profile: "paper" } };
}

/** Composes a merge of the report, to be changed or measured. */
export function openMerge(studio: Studio, yaml: string) {
  return attempt(studio, "Open in Merge", async () => {
    const { recipe } = await studio.engine.parseRecipe(yaml);
    const { methods } = studio.environment.getState();
    studio.recipe.compose(statePapers(recipe, methods));
    show("merge");
  });
}

/** Report as a file, in JSON or in Markdown. */
export async function reportFile(
  studio: Studio,
  job: JobId,
  report: PipelineReport,
  format: "json" | "md",
): Promise<{ readonly name: string; readonly blob: Blob } | undefined> {
  return attempt(studio, "Save the report", async () => {
    const text =
      format === "json"
        ? `${JSON.stringify(report, null, 2)}\n`
        : await studio.engine.pipelineReportText(job);
    const type = format === "json" ? "application/json" : "text/markdown";
    return { name: `${report.name}-report.${format}`, blob: new Blob([text], { type }) };
  });
}
