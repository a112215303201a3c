import type { SparseRows } from "../../../engine/fuse/align/types.ts";
import type { AlignedSource, UnfusedRecord } from "../../../engine/fuse/dataset/records.ts";

type Lists = readonly (readonly number[])[];

/** A row over the pivot's vocabulary: what is not zero. */
export type TargetRow = readonly (readonly [id: number, value: number])[];

/** A row of a dataset as a reference's collator is given it. */
export interface CollatorFeature {
  readonly input_ids: readonly number[];
  readonly per_step_logits: Lists;
  readonly per_step_indices: Lists;
  readonly metric_ce: number;
  readonly [aligned: string]: number | readonly number[] | Lists;
}

/** A case of `fusion/collator_loss.json`. */
export interface CollatorCase {
  readonly profile: "fusellm" | "fusechat-v1" | "fusechat-v2";
  readonly features: readonly CollatorFeature[];
  /** Precision (`_T2`: at temperature 2), then whose distributions, feature by feature. */
  readonly collator: Record<string, Record<string, readonly (readonly TargetRow[])[]>>;
  /** What the trainer is given beside the targets; -100 is no label. */
  readonly batch: {
    readonly labels: Lists;
    readonly attention_mask: Lists;
  };
  /** [features, length, vocabulary], flat. */
  readonly logits: readonly number[];
  readonly loss: readonly CollatorLoss[];
}

/** An objective of the trainer's. Only some tell their target, parts and gradient. */
export interface CollatorLoss {
  readonly precision: "bf16" | "f32";
  readonly mode: "mince" | "avgce";
  readonly loss_type: "ce" | "kl";
  readonly type: "hard" | "hard_and_decay" | "soft";
  readonly lambda?: number;
  readonly without_pivot?: boolean;
  readonly loss: number;
  readonly clm?: number;
  readonly fusion?: number;
  readonly target?: readonly (readonly TargetRow[])[];
  /** As `logits`. */
  readonly grad?: readonly number[];
}

function sparse(ids: Lists, values: Lists, rows: number): SparseRows {
  const offsets = new Uint32Array(rows + 1);
  for (let row = 0; row < rows; row++) offsets[row + 1] = offsets[row]! + ids[row]!.length;
  return {
    offsets,
    ids: Uint32Array.from(ids.slice(0, rows).flat()),
    values: Float32Array.from(values.slice(0, rows).flat()),
  };
}

/** A feature as a record of ours: the last row predicts nothing. */
export function recordOfFeature(feature: CollatorFeature): UnfusedRecord {
  const ids = Uint32Array.from(feature.input_ids.slice(0, feature.per_step_logits.length));
  const ends = ids.map((_, i) => i + 1);
  const rows = ids.length - 1;
  const base = sparse(feature.per_step_indices, feature.per_step_logits, rows);
  const unknown = () => new Float32Array(rows).fill(Number.NaN);
  const sources = [0, 1].flatMap((i): AlignedSource[] => {
    const fused = i === 0 ? feature.fused_per_step_logits : undefined;
    const logits = (feature[`per_step_aligned_logits_${i}`] ?? fused) as Lists | undefined;
    if (!logits) return [];
    const indices = feature[`per_step_aligned_indices_${i}`] ?? feature.fused_per_step_indices;
    const metric = feature[`metric_ce_aligned_${i}`] ?? feature.fused_metric_ce;
    return [
      {
        model: `source ${i}`,
        tokens: { ids: new Uint32Array(), ends: new Uint32Array() },
        groups: { offsets: new Uint32Array(ids.length + 1), positions: new Uint32Array() },
        reasons: Array.from(ids, () => null),
        from: new Int32Array(rows).fill(-1),
        rows: sparse(indices as Lists, logits, rows),
        logSums: unknown(),
        goldNats: unknown(),
        scored: { tokens: 1, nats: metric as number },
      },
    ];
  });
  return {
    number: 0,
    sources,
    supervisedBytes: rows,
    document: { dataset: "", at: 1, part: 0, domain: null, pieces: [] },
    pivot: {
      tokens: { ids, ends },
      positions: Uint32Array.from({ length: rows }, (_, i) => i),
      k: 10,
      ids: base.ids,
      logits: base.values,
      logSums: unknown(),
      goldNats: new Float32Array(rows).fill(feature.metric_ce),
    },
  };
}
