import { open, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import type { FusionCard } from "../engine/contract/index.ts";
import { FUSED_ENDING, writeFusedFile } from "../engine/fuse/dataset/fusedFile.ts";
import type { FusionLibrary } from "../engine/fuse/dataset/fusions.ts";
import { writeParquet } from "../engine/fuse/dataset/parquetWriter.ts";
import { guarded } from "./files.ts";
import { openWorkFolder, type WorkFolder } from "./workFolder.ts";

/** Formats of the references that a fused dataset can be exported in. */
export const PARQUET_FORMATS = ["fusellm", "fusechat-v1", "fusechat-v2"] as const;
export type ParquetFormat = (typeof PARQUET_FORMATS)[number];

/** Folder in which one fusion is made. */
export interface FusionFolder<State> extends Omit<WorkFolder<State>, "finish"> {
  /** Writes the dataset's files under their names, removes all else, and returns the names. */
  seal(card: FusionCard, parquet: ParquetFormat | null): Promise<readonly string[]>;
}

/** Opens `folder` for a fusion; errors of `openWorkFolder`. */
export async function openFusionFolder<State>(
  folder: string,
  key: string,
  earlier: string | null = null,
): Promise<FusionFolder<State>> {
  const { finish, ...opened } = await openWorkFolder<State>(folder, key, earlier);
  const { fusions, work } = opened;
  return {
    ...opened,
    seal: (card, parquet) =>
      guarded(folder, async () => {
        const names = await writeFiles(card, parquet, { fusions, work, folder });
        await finish();
        return names;
      }),
  };
}

async function writeFiles(
  card: FusionCard,
  parquet: ParquetFormat | null,
  {
    fusions,
    work,
    folder,
  }: { readonly fusions: FusionLibrary; readonly work: string; readonly folder: string },
): Promise<readonly string[]> {
  const stem = basename(folder);
  const own = `${stem}${FUSED_ENDING}`;
  const members = card.members.map(({ model }) => model);
  const { name, vocabSize, settings, documents, dropped } = card;
  const header = { name, vocabSize, settings, members, documents, dropped };
  await intoFile(join(work, own), (write) =>
    writeFusedFile(header, fusions.records(card.id), write),
  );
  const names = [own];
  if (parquet) {
    const file = `${stem}-${parquet}.parquet`;
    const sources = members.length - 1;
    await intoFile(join(work, file), (write) =>
      writeParquet(fusions.records(card.id), { format: parquet, sources, write }),
    );
    names.push(file);
  }
  for (const file of names) await rename(join(work, file), join(folder, file));
  return names;
}

async function intoFile(
  path: string,
  fill: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  const handle = await open(path, "w");
  try {
    await fill((bytes) => handle.writeFile(bytes));
    await handle.sync();
  } finally {
    await handle.close();
  }
}
