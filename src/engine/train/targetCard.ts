import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { TrainingSettings } from "../contract/index.ts";
import { type ByteSource, bytesInMemory, type FileTree } from "../core/bytes.ts";
import { formatString } from "../merge/recipe/scalar.ts";
import { escapeMarkdown, fence, readLicence, repositoryName } from "../merge/run/cardText.ts";
import { STUDIO } from "../merge/run/version.ts";

/** What a target's card and record tell beside its settings. */
export interface TargetOrigin {
  /** The target's own name. */
  readonly name: string;
  /** What the fused dataset is called. */
  readonly dataset: string;
}

const inMemory = (text: string): ByteSource => bytesInMemory(new TextEncoder().encode(text));

/**
 * README.md and training.json of a target, and a README.md for its adapter where it has one: what the
 * pivot is, what it learned from and how. The same training gives the same bytes.
 */
export async function targetDocuments(
  pivot: Checkpoint,
  settings: TrainingSettings,
  origin: TargetOrigin,
): Promise<{ readonly target: FileTree; readonly adapter: FileTree }> {
  const record = inMemory(formatRecord(pivot, settings, origin));
  const licence = await readLicence(pivot);
  const card = (kind: "finetune" | "adapter") =>
    inMemory(formatCard(pivot, settings, origin, { kind, licence }));
  return {
    target: new Map([
      ["README.md", card("finetune")],
      ["training.json", record],
    ]),
    adapter: new Map([
      ["README.md", card("adapter")],
      ["training.json", record],
    ]),
  };
}

function formatRecord(
  pivot: Checkpoint,
  settings: TrainingSettings,
  { name, dataset }: TargetOrigin,
): string {
  const parameters = [...pivot.tensors.values()].reduce((sum, it) => sum + it.elementCount, 0);
  const architecture = pivot.config?.architecture ?? null;
  const document = {
    format: 1,
    tool: STUDIO.name,
    version: STUDIO.version,
    name,
    pivot: { name: pivot.name, architecture, parameters },
    dataset,
    settings,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function formatCard(
  pivot: Checkpoint,
  settings: TrainingSettings,
  { name, dataset }: TargetOrigin,
  { kind, licence }: { readonly kind: "finetune" | "adapter"; readonly licence: string | null },
): string {
  const base = repositoryName(pivot.name);
  const isAdapter = kind === "adapter";
  const what = isAdapter ? "An adapter of PEFT, trained" : "A model trained";
  return [
    "---",
    `base_model: ${formatString(base)}`,
    `base_model_relation: ${kind}`,
    `library_name: ${isAdapter ? "peft" : "transformers"}`,
    "tags:",
    "- distillation",
    ...(isAdapter ? ["- lora"] : []),
    ...(licence === null ? [] : [`license: ${formatString(licence)}`]),
    "---",
    "",
    `# ${escapeMarkdown(name)}`,
    "",
    `${what} with ${STUDIO.name} ${STUDIO.version} from ${escapeMarkdown(base)} on the fused dataset ${escapeMarkdown(dataset)}: next-token loss and the fused distributions of several models.`,
    "",
    "## Settings",
    "",
    fence("json", `${JSON.stringify(settings, null, 2)}\n`),
    "",
  ].join("\n");
}
