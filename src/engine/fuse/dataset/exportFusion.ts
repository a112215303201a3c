import { freeName, privateExports, removePrivateExport } from "../../checkpoint/export.ts";
import { folderName } from "../../checkpoint/names.ts";
import { EngineError, type FusionCard, type JobId } from "../../contract/index.ts";
import type { JobContext, JobKind, RequestOf } from "../../core/jobs/kind.ts";
import { createFile, requireWritable } from "../../storage/folder.ts";
import { FUSED_ENDING, writeFusedFile } from "./fusedFile.ts";
import type { FusionLibrary } from "./fusions.ts";
import { writeParquet } from "./parquetWriter.ts";
import type { FusedRecord } from "./records.ts";

export interface ExportFusionParts {
  readonly fusions: FusionLibrary;
  /** Opens the origin's private folder; absent where the browser has none. */
  openPrivateFolder(): Promise<FileSystemDirectoryHandle>;
}

type Format = RequestOf<"export-fusion">["format"];

/** File extension of a format. */
const endingOf = (format: Format) => (format === "studio" ? FUSED_ENDING : `-${format}.parquet`);

/**
 * Job kind `export-fusion`: writes a fused dataset as one file, in the studio's format or in
 * Parquet for the references' training code.
 */
export function createExportFusionKind(parts: ExportFusionParts): JobKind<"export-fusion", string> {
  const { fusions } = parts;
  return {
    kind: "export-fusion",
    resource: "export",
    async prepare({ fusion, format, folder }) {
      const card = await completeCard(fusions, fusion);
      if (format === "fusechat-v2" && card.members.length < 2) {
        const message = `${card.name} has no source: FuseChat v2's fields are for a pivot and a source. Export it for FuseLLM.`;
        throw new EngineError("usage", message, { fusion: card.name });
      }
      if (folder) await requireWritable(folder);
      const title = `Export ${card.name}`;
      return { title, recipe: null, durable: true, totalBytes: card.byteLength };
    },
    async run({ fusion, format, folder }, context) {
      const card = await completeCard(fusions, fusion);
      const parent = folder ?? (await privateExports(parts));
      if (folder) await requireWritable(folder);
      const safe = folderName(card.name);
      const place = context.state ?? (folder ? await freeName(folder, safe) : context.id);
      await context.save(place);
      const target = await parent.getDirectoryHandle(place, { create: true });
      const file = `${safe}${endingOf(format)}`;
      await writeFile({ card, format, target, file }, fusions, context);
      const notes = folder ? [`Written to ${folder.name}/${place}/${file}.`] : [];
      if (format === "fusechat-v2" && card.members.length > 2) {
        notes.push("Of several sources each document has the one of least nats per token.");
      }
      return { models: [], downloads: folder ? [] : [file], notes };
    },
    clean: (id: JobId) => removePrivateExport(parts, id),
  };
}

async function completeCard(fusions: FusionLibrary, id: string): Promise<FusionCard> {
  const card = await fusions.card(id);
  if (card.state === "complete") return card;
  const message = `${card.name} is not complete yet: resume the job that writes it.`;
  throw new EngineError("usage", message, { fusion: card.name });
}

async function writeFile(
  {
    card,
    format,
    target,
    file,
  }: {
    readonly card: FusionCard;
    readonly format: Format;
    readonly target: FileSystemDirectoryHandle;
    readonly file: string;
  },
  fusions: FusionLibrary,
  { signal, progress }: JobContext<string>,
): Promise<void> {
  const { byteLength: totalBytes } = card;
  async function* records(): AsyncGenerator<FusedRecord> {
    let done = 0;
    for await (const record of fusions.records(card.id)) {
      signal.throwIfAborted();
      yield record;
      done += 1;
      const doneBytes = Math.round((totalBytes * done) / card.documents);
      progress({ doneBytes, totalBytes, label: file });
    }
  }
  const writer = await createFile(target, file, totalBytes);
  const write = (bytes: Uint8Array<ArrayBuffer>) => writer.write(bytes);
  try {
    if (format === "studio") {
      const { name, vocabSize, settings, documents, dropped } = card;
      const members = card.members.map(({ model }) => model);
      const header = { name, vocabSize, settings, members, documents, dropped };
      await writeFusedFile(header, records(), write);
    } else {
      const sources = card.members.length - 1;
      await writeParquet(records(), { format, sources, write });
    }
  } catch (error) {
    await writer.abort();
    throw error;
  }
  await writer.close();
}
