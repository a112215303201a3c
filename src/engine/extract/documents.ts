import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { readText } from "../checkpoint/smallFile.ts";
import { EngineError, type Extraction } from "../contract/index.ts";
import { bytesInMemory, type FileTree } from "../core/bytes.ts";
import { formatString } from "../merge/recipe/scalar.ts";
import { escapeMarkdown, fence, readLicence, repositoryName } from "../merge/run/cardText.ts";
import { STUDIO } from "../merge/run/version.ts";

const RECORD = "extraction.json";
const RECORD_LIMIT = 64 * 2 ** 20;
const FORMAT = 1;
const inMemory = (text: string) => bytesInMemory(new TextEncoder().encode(text));

/** README.md and extraction.json of an adapter. The same extraction gives the same bytes. */
export async function extractionDocuments(
  { base, model }: { readonly base: Checkpoint; readonly model: Checkpoint },
  extraction: Extraction,
  name: string,
): Promise<FileTree> {
  const record = {
    format: FORMAT,
    tool: STUDIO.name,
    version: STUDIO.version,
    name,
    ...extraction,
  };
  const licence = (await readLicence(model)) ?? (await readLicence(base));
  return new Map([
    ["README.md", inMemory(formatCard(extraction, name, licence))],
    [RECORD, inMemory(`${JSON.stringify(record)}\n`)],
  ]);
}

/** The record beside an adapter's factors; `missing-file` where it was not extracted here. */
export async function readExtraction({ files, name }: Checkpoint): Promise<Extraction> {
  const source = files.get(RECORD);
  if (source) {
    const record = JSON.parse(await readText(source, RECORD, RECORD_LIMIT));
    if (record?.format === FORMAT) return record as Extraction;
  }
  throw new EngineError(
    "missing-file",
    `${name} has no ${RECORD} of this version: its spectra are not known. Extract the adapter anew.`,
    { model: name, file: RECORD },
  );
}

function formatCard(
  { base, model, settings, matrices, whole, notes }: Extraction,
  name: string,
  licence: string | null,
): string {
  const [from, of] = [repositoryName(base), repositoryName(model)];
  const energy = matrices.reduce((sum, each) => sum + each.energy, 0);
  const kept = matrices.reduce((sum, each) => sum + each.kept * each.energy, 0);
  const saved = whole.length > 0 ? `, and ${whole.length} changed tensors or modules whole` : "";
  return [
    "---",
    `base_model: ${formatString(from)}`,
    "base_model_relation: adapter",
    "library_name: peft",
    "tags:",
    "- lora",
    "- extraction",
    ...(licence === null ? [] : [`license: ${formatString(licence)}`]),
    "---",
    "",
    `# ${escapeMarkdown(name)}`,
    "",
    `An adapter of PEFT that ${STUDIO.name} ${STUDIO.version} extracted from ${escapeMarkdown(of)}: what it has learned beyond ${escapeMarkdown(from)}. It holds the leading singular vectors of ${matrices.length} matrices' changes, ${((100 * kept) / energy).toFixed(2)} % of their energy${saved}.`,
    "",
    ...notes.flatMap((note) => [escapeMarkdown(note), ""]),
    "## Settings",
    "",
    fence("json", `${JSON.stringify(settings, null, 2)}\n`),
    "",
  ].join("\n");
}
