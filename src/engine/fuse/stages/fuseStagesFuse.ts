import { decodeRepresentation } from "../dataset/codec.ts";
import type { FusionWriter } from "../dataset/fusions.ts";
import { decodeGroups } from "../dataset/groupRecords.ts";
import type { FusionDocument, Representation, UnfusedRecord } from "../dataset/records.ts";
import { type Dropped, DroppedCounter } from "../documents/dropped.ts";
import { wantedRows } from "../represent/represent.ts";
import { alignSource, supervisedBytes } from "../rows/alignedSource.ts";
import { refusal } from "../rows/choose.ts";
import { fuseDocuments } from "../rows/fuseRows.ts";
import { bytesOf, decodeDocument, placeOf, type StageParts } from "./fuseStages.ts";
import type { SourceBridge } from "./fuseStagesAlign.ts";
import type { RepresentedModel } from "./fuseStagesRepresent.ts";

/** Documents that are fused and written together. */
const AT_A_TIME = 16;

/** Saved state of the last stage. */
export interface FusedSoFar {
  /** Documents processed so far. */
  readonly documents: number;
  readonly bytes: number;
  readonly dropped: Dropped;
}

/** Inputs of the last stage. */
export interface FuseInputs {
  readonly documents: { readonly folder: string; readonly count: number };
  /** Members, the pivot first. */
  readonly members: readonly RepresentedModel[];
  readonly bridges: readonly SourceBridge[];
  readonly writer: FusionWriter;
}

/** Aligns and fuses all documents in order, from where an earlier run stopped. */
export async function fuseAll(
  inputs: FuseInputs,
  before: FusedSoFar,
  parts: StageParts,
  save: (state: FusedSoFar) => Promise<void>,
): Promise<FusedSoFar> {
  const { documents, writer } = inputs;
  const { settings, signal, gpuProvider, progress } = parts;
  const dropped = new DroppedCounter(settings.badRows, before.dropped);
  let [at, bytes] = [before.documents, before.bytes];
  while (at < documents.count) {
    signal.throwIfAborted();
    progress(bytes, `Fusing document ${at + 1} of ${documents.count}`);
    const made = await readAligned(inputs, at, dropped, parts);
    at += made.documents;
    bytes += made.bytes;
    // Documents written before a crash are counted again and not written again.
    const fresh = made.records.filter(({ number }) => number > writer.lastNumber);
    if (fresh.length > 0) {
      await writer.append(await fuseDocuments(await gpuProvider.get(), fresh, settings));
    }
    await save({ documents: at, bytes, dropped: dropped.state() });
  }
  return { documents: at, bytes, dropped: dropped.state() };
}

/** The next documents, aligned; those that cannot be fused are counted. */
async function readAligned(
  { documents, members, bridges }: FuseInputs,
  from: number,
  dropped: DroppedCounter,
  { records, settings }: StageParts,
) {
  const folders = [documents.folder, ...members.map(({ folder }) => folder)];
  const [texts, ...said] = await Promise.all(
    folders.map((folder) => records.read(folder, from, AT_A_TIME)),
  );
  const groups = await Promise.all(
    bridges.map((bridge) => (bridge.groups ? records.read(bridge.groups, from, AT_A_TIME) : [])),
  );
  const aligned: UnfusedRecord[] = [];
  let bytes = 0;
  for (const [i, text] of texts!.entries()) {
    const document = decodeDocument(text);
    bytes += bytesOf(document);
    const told = said.map((each) => decodeRepresentation(each[i]!));
    const broken = members.map((member, m) => whatIsBroken(member, document, told[m]!));
    const reason = broken.find((each) => each !== null);
    if (reason) {
      dropped.add(reason, placeOf(document));
      continue;
    }
    const [pivot, ...others] = told;
    const record: UnfusedRecord = {
      number: from + i,
      document,
      pivot: pivot!,
      supervisedBytes: supervisedBytes(document.pieces),
      sources: others.map((source, s) =>
        alignSource(bridges[s]!.aligner, pivot!, source, {
          model: members[s + 1]!.model.name,
          groups: groups[s]![i] && decodeGroups(groups[s]![i]!),
        }),
      ),
    };
    const refused = refusal(record, settings);
    if (refused === null) aligned.push(record);
    else dropped.add(refused, placeOf(document));
  }
  return { documents: texts!.length, bytes, records: aligned };
}

/** Reason why a model's representation of a document is incomplete, or null. */
function whatIsBroken(
  { model }: RepresentedModel,
  document: FusionDocument,
  { positions }: Representation,
): string | null {
  const { tokens, supervised } = model.reader.tokenise(document.pieces);
  if (positions.length === wantedRows(tokens.ids, supervised).length) return null;
  const { vocabSize } = model;
  return vocabSize !== null && tokens.ids.some((id) => id >= vocabSize)
    ? `${model.name} has no row for one of its tokenizer's tokens`
    : `${model.name} gives no finite numbers`;
}
