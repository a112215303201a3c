import type { LibraryReader } from "../../checkpoint/library/library.ts";
import {
  EngineError,
  FUSION_DEFAULTS,
  type FusionCard,
  type FusionId,
  type FusionSettings,
} from "../../contract/index.ts";
import type { ByteSource } from "../../core/bytes.ts";
import { type WatchedInputs, watchInputs } from "../../core/inputs.ts";
import type { JobContext, JobKind, RequestOf } from "../../core/jobs/kind.ts";
import type { GpuProvider } from "../../gpu/device.ts";
import type { OpenLanguageText } from "../../runtime/language/languageFiles.ts";
import { sourceFromBlob } from "../../storage/blob.ts";
import { readParquet } from "../../text/datasets/datasetParquet.ts";
import type { TextTokenizer } from "../../text/tokenizers/tokenizer.ts";
import { refusal } from "../rows/choose.ts";
import { fuseDocuments } from "../rows/fuseRows.ts";
import { FUSED_ENDING, openFusedFile } from "./fusedFile.ts";
import type { FusionLibrary, FusionWriter } from "./fusions.ts";
import {
  BadRow,
  findSources,
  type ImportedFields,
  type ParquetRow,
  readImportedRow,
} from "./importRow.ts";
import type { FusedRecord, UnfusedRecord } from "./records.ts";

export interface ImportFusionParts {
  readonly library: LibraryReader;
  readonly openText: OpenLanguageText;
  readonly fusions: FusionLibrary;
  readonly gpuProvider: GpuProvider;
}

/** Largest file that is imported: more would not fit a browser's database. */
const MOST_BYTES = 2 ** 33;
/** Documents that are fused and written together. */
const AT_A_TIME = 16;
/** Largest row group of a Parquet file; as JavaScript lists it takes some four times its size. */
const MOST_GROUP_BYTES = 256 * 2 ** 20;
/** Number of refused rows that are named; the others are counted. */
const MOST_NAMED = 5;

interface Imported {
  readonly file: string;
  readonly source: ByteSource;
  readonly inputs: WatchedInputs;
  readonly pivot: {
    readonly id: string;
    readonly name: string;
    readonly vocabSize: number;
    readonly tokenizer: TextTokenizer;
  };
  readonly name: string;
}

/** Job kind `import-fusion`: reads a Parquet file of FuseLLM or FuseChat, or a `.fused` file. */
export function createImportFusionKind(
  parts: ImportFusionParts,
): JobKind<"import-fusion", FusionId> {
  const { library, fusions } = parts;
  return {
    kind: "import-fusion",
    resource: "import",
    async prepare({ files, pivot }) {
      const { file, path } = onlyFile(files);
      await openPivot(pivot, parts); // refuses what has no tokenizer
      const { name } = await library.card(pivot);
      return {
        title: `Add ${nameOf(path)} for ${name}`,
        recipe: null,
        durable: false,
        totalBytes: file.size,
      };
    },
    async run({ files, pivot, name }, context) {
      // An import cannot be resumed in the middle of a file: an earlier run's output is deleted.
      if (context.state) await fusions.delete(context.state).catch(() => undefined);
      const { file, path } = onlyFile(files);
      const source = sourceFromBlob(file, path);
      const imported = {
        file: nameOf(path),
        source,
        inputs: await watchInputs([[nameOf(path), source]]),
        name,
        pivot: await openPivot(pivot, parts),
      };
      const own = imported.file.toLowerCase().endsWith(FUSED_ENDING);
      const { card, notes } = own
        ? await importOwn(imported, parts, context)
        : await importParquet(imported, parts, context);
      context.modelsChanged();
      return { models: [], downloads: [], notes, fusion: card.id };
    },
    async clean(_, fusion) {
      if (!fusion) return;
      const known = (await fusions.list()).find(({ id }) => id === fusion);
      if (known?.state === "partial") await fusions.delete(fusion);
    },
  };
}

const nameOf = (path: string) => path.split("/").at(-1) || path;

function onlyFile(files: RequestOf<"import-fusion">["files"]) {
  const [first, ...others] = files;
  if (!first || others.length > 0) {
    const message = `${files.length} files were given: one Parquet or ${FUSED_ENDING} file makes a fused dataset.`;
    throw new EngineError("usage", message, { files: files.length });
  }
  if (first.file.size > MOST_BYTES) {
    const message = `${nameOf(first.path)} has ${first.file.size} bytes; fused datasets of at most ${MOST_BYTES} are kept.`;
    throw new EngineError("usage", message, { byteLength: first.file.size });
  }
  return first;
}

async function openPivot(
  id: string,
  { library, openText }: ImportFusionParts,
): Promise<Imported["pivot"]> {
  const [{ name }, checkpoint] = await Promise.all([library.card(id), library.open(id)]);
  const tokenizer = (await openText(checkpoint)).tokenizer();
  const vocabSize = Math.max(checkpoint.config?.vocabSize ?? 0, tokenizer.vocabSize);
  return { id, name, vocabSize, tokenizer };
}

type Context = JobContext<FusionId>;
interface Outcome {
  readonly card: FusionCard;
  readonly notes: readonly string[];
}

/** Imports a `.fused` file, whose documents are complete. */
async function importOwn(
  { file, source, inputs, pivot, name }: Imported,
  { fusions }: ImportFusionParts,
  { signal, progress, save }: Context,
): Promise<Outcome> {
  const { header, records } = await openFusedFile(source, file);
  if (header.vocabSize > pivot.vocabSize) {
    const message = `${file} was made for ${header.members[0]} with a vocabulary of ${header.vocabSize}; ${pivot.name} has ${pivot.vocabSize}. Choose the pivot it was made for.`;
    throw new EngineError("mismatch", message, { file, vocabSize: header.vocabSize });
  }
  const writer = await fusions.begin({
    name: name || header.name,
    origin: "import",
    settings: header.settings,
    vocabSize: header.vocabSize,
    parties: header.members.map((model, i) => ({
      model,
      id: i === 0 ? pivot.id : null,
      representation: null,
    })),
  });
  await save(writer.id);
  let batch: FusedRecord[] = [];
  const totalBytes = source.byteLength;
  const flush = async () => {
    await writer.append(batch);
    batch = [];
    const share = header.documents > 0 ? writer.documents / header.documents : 1;
    progress({ doneBytes: Math.round(totalBytes * share), totalBytes, label: file });
  };
  for await (const record of records) {
    signal.throwIfAborted();
    batch.push(record);
    if (batch.length === AT_A_TIME) await flush();
  }
  await flush();
  await inputs.requireUnchanged();
  return { card: await writer.seal(header.dropped), notes: [] };
}

/**
 * Imports a Parquet file of the references: its rows are checked, and fused with the settings of
 * their profile.
 */
async function importParquet(
  imported: Imported,
  { fusions, gpuProvider }: ImportFusionParts,
  context: Context,
): Promise<Outcome> {
  const { file, source, name, pivot } = imported;
  const { signal, progress, save } = context;
  const refused = new RefusedRows(file);
  let fields: ImportedFields | null = null;
  let settings: FusionSettings = FUSION_DEFAULTS.fusellm;
  let writer: FusionWriter | null = null;
  let batch: UnfusedRecord[] = [];
  const flush = async () => {
    if (batch.length === 0 || !writer) return;
    await writer.append(await fuseDocuments(await gpuProvider.get(), batch, settings));
    batch = [];
  };
  let at = 0;
  let readTo = 0;
  const counted: ByteSource = {
    byteLength: source.byteLength,
    read(start, length) {
      // The footer is read first and does not count as progress.
      if (start + length < source.byteLength) readTo = Math.max(readTo, start + length);
      return source.read(start, length);
    },
  };
  for await (const row of readParquet(counted, file, { mostGroupBytes: MOST_GROUP_BYTES })) {
    signal.throwIfAborted();
    at += 1;
    if (!fields || !writer) {
      fields = fieldsOf(row, imported);
      settings = settingsOf(row, fields);
      writer = await fusions.begin({
        name,
        origin: "import",
        vocabSize: pivot.vocabSize,
        settings,
        parties: [pivot.name, ...fields.sources.map(({ model }) => model)].map((model, i) => ({
          model,
          id: i === 0 ? pivot.id : null,
          representation: null,
        })),
      });
      await save(writer.id);
    }
    const record = readRow(row, at, fields);
    const problem = typeof record === "string" ? record : refusal(record, settings);
    if (typeof record === "string" || problem !== null) refused.add(at, problem ?? "");
    else batch.push(record);
    if (batch.length === AT_A_TIME) await flush();
    progress({ doneBytes: readTo, totalBytes: source.byteLength, label: `${file}, row ${at}` });
  }
  await flush();
  if (!writer || writer.documents === 0) {
    if (writer) await fusions.delete(writer.id);
    throw refused.nothingLeft();
  }
  progress({ doneBytes: source.byteLength, totalBytes: source.byteLength, label: file });
  await imported.inputs.requireUnchanged();
  return { card: await writer.seal(refused.dropped()), notes: refused.notes };
}

function readRow(row: ParquetRow, at: number, fields: ImportedFields): UnfusedRecord | string {
  try {
    return readImportedRow(row, at, fields);
  } catch (error) {
    if (error instanceof BadRow) return error.message;
    throw error;
  }
}

function fieldsOf(row: ParquetRow, { file, pivot }: Imported): ImportedFields {
  const sources = findSources(new Set(Object.keys(row)));
  if (sources) return { dataset: file, sources, ...pivot };
  const message = `${file} has not the columns of FuseLLM or FuseChat: input_ids, labels, per_step_logits, per_step_indices and metric_ce, with those of the aligned sources. It has ${Object.keys(row).slice(0, 20).join(", ")}.`;
  throw new EngineError("usage", message, { file });
}

/**
 * Profile and settings of a row: FuseChat v2 has other column names; v1 and FuseLLM differ in the
 * learned tokens.
 */
function settingsOf(row: ParquetRow, { sources }: ImportedFields): FusionSettings {
  const [first] = Array.isArray(row.per_step_logits) ? row.per_step_logits : [];
  const topK = Array.isArray(first) ? Math.max(1, first.length) : 10;
  if (sources[0]?.logits.startsWith("fused_")) return { ...FUSION_DEFAULTS["fusechat-v2"], topK };
  const masked = Array.isArray(row.labels) && row.labels.some((label) => Number(label) === -100);
  return { ...FUSION_DEFAULTS[masked ? "fusechat-v1" : "fusellm"], topK };
}

/** Rows that were refused: all are counted, the first are named. */
class RefusedRows {
  readonly #file: string;
  readonly #counts = new Map<string, number>();
  readonly notes: string[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  add(at: number, problem: string): void {
    if (this.notes.length < MOST_NAMED) {
      this.notes.push(`${this.#file}, row ${at} was left out: ${problem}.`);
    }
    // Reasons that differ only in numbers are counted as one.
    const reason = problem.replace(/-?\d+(\.\d+)?/g, "…");
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  dropped(): FusionCard["dropped"] {
    return [...this.#counts].map(([reason, count]) => ({ reason, count }));
  }

  nothingLeft(): EngineError {
    const [first] = this.notes;
    const message = `${this.#file} has no row that can be taken over.${first ? ` ${first}` : ""}`;
    return new EngineError("usage", message, { file: this.#file });
  }
}
