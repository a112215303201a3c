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

/** Shows a pipeline, whatever its state. */
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

/** Puts models side by side in the Playground. */
export function compareModels(studio: Studio, models: readonly ModelId[]): void {
  studio.playground.setState({ chosen: models });
  openPlayground(studio, "try");
}

/** Puts an evaluation of models together; the first is what the others are compared with. */
export function evaluateModels(studio: Studio, models: readonly ModelId[]): void {
  studio.playground.draft({ models, reference: models[0] ?? null });
  openPlayground(studio, "evaluate");
}

/** FuseChat's merges are the papers', which reports of an earlier version leave unsaid. */
function statePapers(recipe: Recipe, methods: readonly MethodCard[]): Recipe {
  const params = methods.find(({ id }) => id === recipe.method)?.params;
  const profile = params?.find(({ name }) => name === "profile");
  const open = recipe.parameters.profile === undefined;
  if (!open || profile?.kind !== "choice" || !profile.options.includes("paper")) return recipe;
  return { ...recipe, parameters: { ...recipe.parameters, profile: "paper" } };
}

/** Composes a merge of the report anew, to be changed or measured. */
export function openMerge(studio: Studio, yaml: string) {
  return attempt(studio, "Open in Merge", async () => {
    const { recipe } = await studio.engine.parseRecipe(yaml);
    const { methods } = studio.environment.getState();
    studio.recipe.compose(statePapers(recipe, methods));
    show("merge");
  });
}

/** The report as a file: its numbers, or words for people. */
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
