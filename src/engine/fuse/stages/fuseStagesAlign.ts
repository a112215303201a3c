import { createAligner } from "../align/aligner.ts";
import { createGrouper } from "../align/grouper.ts";
import { AlignmentCounts } from "../align/maps/alignmentCounts.ts";
import { buildVocabularyMap, countsFor } from "../align/maps/build.ts";
import { ContextCounts } from "../align/maps/contextCounts.ts";
import { openPooledGrouper } from "../align/pooledGrouper.ts";
import type { Aligner } from "../align/types.ts";
import { openVocabulary, sameVocabulary } from "../align/vocabulary.ts";
import { decodeRepresentation } from "../dataset/codec.ts";
import { decodeGroups, encodeGroups } from "../dataset/groupRecords.ts";
import { readRecords } from "../dataset/recordStore.ts";
import type { Representation } from "../dataset/records.ts";
import type { FusionModel, StageParts } from "./fuseStages.ts";
import type { RepresentedModel } from "./fuseStagesRepresent.ts";

/** Alignment of a source to the pivot, prepared over all documents. */
export interface SourceBridge {
  readonly aligner: Aligner;
  /** Folder of the documents' groups, one record each; null where grouping takes linear time. */
  readonly groups: string | null;
}

/** Documents that are grouped together, so that all threads are busy. */
const AT_A_TIME = 64;

/** Groups the documents' tokens, counts what the vocabulary map needs, and builds the map. */
export async function bridgeSource(
  pivot: RepresentedModel,
  source: RepresentedModel,
  groupsFolder: string,
  parts: StageParts,
): Promise<SourceBridge> {
  const { settings, pool, maps, signal, progress } = parts;
  const vocabularies = {
    pivot: openVocabulary(pivot.model.tokenizer),
    source: openVocabulary(source.model.tokenizer),
  };
  const warps =
    settings.profile !== "studio" && !sameVocabulary(vocabularies.pivot, vocabularies.source);
  const groups = warps ? groupsFolder : null;
  if (groups) await groupAll(pivot, source, groups, vocabularies, parts);
  const name = `Mapping the vocabulary of ${source.model.name}`;
  progress(0, name);
  const map = await buildVocabularyMap(
    {
      settings,
      ...vocabularies,
      pool,
      pivotTokenizer: pivot.model.tokenizer,
      sourceTokenizer: source.model.tokenizer,
      ...(maps ? { cache: maps } : {}),
      ...(await countAll(pivot, source, groups, vocabularies, parts)),
    },
    { signal, progress: (done, total) => progress(0, `${name}: ${done} of ${total} tokens`) },
  );
  const rows = pivot.model.vocabSize ?? Number.POSITIVE_INFINITY;
  const target = (sourceId: number) => {
    const id = map.target(sourceId);
    // A tokenizer can have tokens beyond its model's head.
    return id !== null && id < rows ? id : null;
  };
  const options = { settings, ...vocabularies, map: { ...map, target } };
  return { aligner: createAligner(options), groups };
}

type Vocabularies = Readonly<Record<"pivot" | "source", ReturnType<typeof openVocabulary>>>;

/** Warps all documents that have no groups yet. */
async function groupAll(
  pivot: RepresentedModel,
  source: RepresentedModel,
  folder: string,
  vocabularies: Vocabularies,
  { records, settings, pool, signal, progress }: StageParts,
): Promise<void> {
  const total = await records.count(source.folder);
  const { profile } = settings;
  const grouper = openPooledGrouper(pool, profile, vocabularies.pivot, vocabularies.source);
  try {
    for (let at = await records.count(folder); at < total; at += AT_A_TIME) {
      signal.throwIfAborted();
      progress(0, `Aligning ${source.model.name}: document ${at + 1} of ${total}`);
      const [ours, theirs] = await Promise.all(
        [pivot, source].map((member) => records.read(member.folder, at, AT_A_TIME)),
      );
      const grouped = await Promise.all(
        ours!.map(async (record, i) => {
          const [own, other] = [decodeRepresentation(record), decodeRepresentation(theirs![i]!)];
          return encodeGroups((await grouper.group(own.tokens, other.tokens, signal)).groups);
        }),
      );
      await records.append(folder, grouped);
    }
  } finally {
    grouper.close();
  }
}

/** Counts over all documents what the vocabulary map needs. */
async function countAll(
  pivot: RepresentedModel,
  source: RepresentedModel,
  groups: string | null,
  vocabularies: Vocabularies,
  { records, settings, signal }: StageParts,
) {
  const wanted = countsFor(settings);
  if (wanted === null) return {};
  const counts = new AlignmentCounts();
  const contexts = { pivot: new ContextCounts(), source: new ContextCounts() };
  const group = createGrouper(settings.profile, vocabularies.pivot, vocabularies.source);
  const [theirs, grouped] = [
    readRecords(records, source.folder),
    groups ? readRecords(records, groups) : null,
  ];
  for await (const record of readRecords(records, pivot.folder)) {
    signal.throwIfAborted();
    const own = decodeRepresentation(record).tokens;
    const other = decodeRepresentation((await theirs.next()).value as Uint8Array).tokens;
    if (wanted === "contexts") {
      contexts.pivot.add(plainIds(own, pivot.model));
      contexts.source.add(plainIds(other, source.model));
    } else {
      const known = grouped ? decodeGroups((await grouped.next()).value as Uint8Array) : null;
      counts.add(own.ids, other.ids, known ?? group(own, other).groups);
    }
  }
  return wanted === "contexts" ? { contexts } : { counts };
}

/** Ids without control tokens, which are no neighbours of words. */
function plainIds({ ids }: Representation["tokens"], { tokenizer }: FusionModel): Uint32Array {
  return ids.filter((id) => !tokenizer.isSpecial(id));
}
