import type { Distribution, FusedRow, FusionSettings } from "../../contract/index.ts";
import { decodeRepresentation } from "../dataset/codec.ts";
import { type RecordStore, readRecord } from "../dataset/recordStore.ts";
import type { AlignedSource, FusedRecord } from "../dataset/records.ts";
import { isCovered, winnersOf } from "../documents/documentSummary.ts";
import { rowDistribution, rowOf, type SparseRow } from "./distribution.ts";
import { rowMetrics } from "./metrics.ts";

type NameOf = (id: number) => string;

/** A source's own row, in its own vocabulary. */
export interface OwnRow extends SparseRow {
  readonly logSum: number;
  readonly nats: number;
}

/** A source's own row behind its row in the fusion; null where there is none. */
export async function findOwnRow(
  records: RecordStore,
  {
    folder,
    number,
    source,
    row,
  }: {
    readonly folder: string;
    readonly number: number;
    readonly source: AlignedSource;
    readonly row: number;
  },
): Promise<OwnRow | null> {
  const position = source.from[row] as number;
  if (position < 0) return null;
  const said = decodeRepresentation(await readRecord(records, folder, number));
  const own = said.positions.indexOf(position);
  if (own < 0) return null;
  const [start, end] = [own * said.k, (own + 1) * said.k];
  return {
    ids: said.ids.subarray(start, end),
    values: said.logits.subarray(start, end),
    logSum: said.logSums[own] as number,
    nats: said.goldNats[own] as number,
  };
}

/** All distributions of one row; `names` gives the texts of the pivot's and the sources' tokens. */
export function viewRow(
  record: FusedRecord,
  about: {
    readonly document: number;
    readonly row: number;
    readonly settings: FusionSettings;
    readonly names: readonly NameOf[];
    readonly pivotName: string;
    /** Own rows of the sources. */
    readonly own: readonly (OwnRow | null)[];
  },
): FusedRow {
  const { document, row, settings, names, own, pivotName } = about;
  const { pivot, sources, weights, fused, tail } = record;
  const position = pivot.positions[row] as number;
  const nameOf = names[0] as NameOf;
  const gold = pivot.tokens.ids[position + 1] as number;
  const count = 1 + sources.length;
  const metrics = rowMetrics(record, row, settings);
  const distribution = (of: SparseRow, logSum: number, nats: number): Distribution => {
    const { probabilities, tail } = rowDistribution(of.values, logSum, settings);
    return { ...listed(of.ids, probabilities, nameOf), tail, nats: finite(nats) };
  };
  const pivotRow = {
    ids: pivot.ids.subarray(row * pivot.k, (row + 1) * pivot.k),
    values: pivot.logits.subarray(row * pivot.k, (row + 1) * pivot.k),
  };
  const fusedRow = rowOf(fused, row);
  return {
    document,
    row,
    position,
    winner: winnersOf(record)[row] as number,
    gold: { id: gold, text: nameOf(gold) },
    members: [
      {
        model: pivotName,
        reason: null,
        own: null,
        aligned: distribution(
          pivotRow,
          pivot.logSums[row] as number,
          pivot.goldNats[row] as number,
        ),
        weight: weights[row * count] as number,
        metric: finite(metrics[0] as number),
      },
      ...sources.map((source, i) => {
        const said = own[i];
        const [logSum, nats] = [source.logSums[row] as number, source.goldNats[row] as number];
        return {
          model: source.model,
          reason: source.reasons[position] ?? null,
          own: said ? ownDistribution(said, names[i + 1] as NameOf) : null,
          aligned: isCovered(source, row, position)
            ? distribution(rowOf(source.rows, row), logSum, nats)
            : null,
          weight: weights[row * count + 1 + i] as number,
          metric: finite(metrics[1 + i] as number),
        };
      }),
    ],
    fused: {
      ...listed(fusedRow.ids, fusedRow.values, nameOf),
      tail: tail[row] as number,
      nats: null,
    },
  };
}

const finite = (value: number) => (Number.isFinite(value) ? value : null);

/** Probabilities of the whole row, whatever the fusion's temperature and tail. */
function ownDistribution({ ids, values, logSum, nats }: OwnRow, nameOf: NameOf): Distribution {
  const probabilities = Array.from(values, (logit) => Math.exp(logit - logSum));
  const kept = probabilities.reduce((a, b) => a + b, 0);
  return { ...listed(ids, probabilities, nameOf), tail: Math.max(0, 1 - kept), nats: finite(nats) };
}

/** Entries by falling probability, ties by id. */
function listed(
  ids: Uint32Array,
  probabilities: ArrayLike<number>,
  nameOf: NameOf,
): Pick<Distribution, "entries"> {
  const entries = Array.from(ids, (id, i) => ({
    id,
    text: nameOf(id),
    probability: probabilities[i] as number,
  }));
  entries.sort((a, b) => b.probability - a.probability || a.id - b.id);
  return { entries };
}
