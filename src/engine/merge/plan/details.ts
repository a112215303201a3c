import { type Checkpoint, type CheckpointTensor, readTensor } from "../../checkpoint/checkpoint.ts";
import { findEmbedding, findHead, isTied } from "../../checkpoint/tensorRoles/head.ts";
import { compareTokenRows, type NonfiniteRows, scanTokenRows } from "./nonfiniteRows.ts";
import { readTokenRows, type TokenRows } from "./tokenRows.ts";

/** What a model's files say beyond its headers, where the plan depends on it. */
export interface ModelDetails {
  /** Null where no file tells, or all models have as many rows. */
  readonly tokens: TokenRows | null;
  /** The head is tied to the embedding by config.json and stored nevertheless, number for number. */
  readonly repeatsEmbedding: boolean;
  /** Rows of its embedding and head that hold NaN or infinity, and who has numbers there. */
  readonly nonfiniteRows: readonly NonfiniteRows[];
}

export type Details = ReadonlyMap<Checkpoint, ModelDetails>;

const PIECE_BYTES = 4 * 2 ** 20;

async function holdsSameBytes(a: CheckpointTensor, b: CheckpointTensor): Promise<boolean> {
  if (a.dtype !== b.dtype || a.byteLength !== b.byteLength) return false;
  for (let at = 0; at < a.byteLength; at += PIECE_BYTES) {
    const count = Math.min(PIECE_BYTES, a.byteLength - at);
    const [one, other] = await Promise.all([readTensor(a, at, count), readTensor(b, at, count)]);
    if (one.some((byte, i) => byte !== other[i])) return false;
  }
  return true;
}

async function readRepeats(checkpoint: Checkpoint): Promise<boolean> {
  const [head, embedding] = [findHead(checkpoint), findEmbedding(checkpoint)];
  if (!head || !embedding || !isTied(checkpoint)) return false;
  return holdsSameBytes(head, embedding);
}

/** The answer for a checkpoint stays the same for as long as it is open. */
function remember<Key extends object, Value>(read: (key: Key) => Promise<Value>) {
  const known = new WeakMap<Key, Promise<Value>>();
  return (key: Key): Promise<Value> => {
    const answer = known.get(key) ?? read(key);
    known.set(key, answer);
    answer.catch(() => known.delete(key));
    return answer;
  };
}

const rowsOf = (checkpoint: Checkpoint) => findEmbedding(checkpoint)?.shape[0] ?? 0;
const repeatsOf = remember(readRepeats);
const nonfiniteRowsOf = remember(scanTokenRows);
const tokensOf = remember((checkpoint: Checkpoint) =>
  readTokenRows(checkpoint, rowsOf(checkpoint)),
);

/**
 * Reads what the plan of a merge of these models depends on. Tokenizers are read only where the
 * models have different numbers of rows; of the weights only the head that a tied model stores, and
 * the last 8 MiB of embeddings and heads.
 */
export async function readDetails(checkpoints: readonly Checkpoint[]): Promise<Details> {
  const differ = new Set(checkpoints.map(rowsOf)).size > 1;
  const details = new Map<Checkpoint, ModelDetails>();
  const all = [...new Set(checkpoints)];
  for (const checkpoint of all) {
    const others = all.filter((other) => other !== checkpoint && !other.planned);
    const tokens = differ ? await tokensOf(checkpoint) : null;
    if (checkpoint.planned) {
      details.set(checkpoint, { tokens, repeatsEmbedding: false, nonfiniteRows: [] });
      continue;
    }
    details.set(checkpoint, {
      tokens,
      repeatsEmbedding: await repeatsOf(checkpoint),
      nonfiniteRows: await compareTokenRows(await nonfiniteRowsOf(checkpoint), others),
    });
  }
  return details;
}
