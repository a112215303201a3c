import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { findEmbedding } from "../../checkpoint/tensorRoles/head.ts";
import type { FileTree } from "../../core/bytes.ts";
import {
  endOfIds,
  readVocabulary,
  VOCABULARY_FILES,
  type Vocabulary,
} from "../../text/tokenizers/vocabulary.ts";

/** The answer for a checkpoint stays the same for as long as it is open. */
const known = new WeakMap<Checkpoint, Promise<Vocabulary | null>>();

const PIECE_BYTES = 4 * 2 ** 20;

async function haveSameFiles(one: Checkpoint, other: Checkpoint): Promise<boolean> {
  if (one.config?.modelType !== other.config?.modelType) return false;
  return haveSameBytes(one.files, other.files);
}

async function haveSameBytes(a: FileTree, b: FileTree): Promise<boolean> {
  for (const path of VOCABULARY_FILES) {
    const [one, other] = [a.get(path), b.get(path)];
    if (!one && !other) continue;
    if (!one || !other || one.byteLength !== other.byteLength) return false;
    for (let at = 0; at < one.byteLength; at += PIECE_BYTES) {
      const count = Math.min(PIECE_BYTES, one.byteLength - at);
      const [left, right] = await Promise.all([one.read(at, count), other.read(at, count)]);
      if (left.some((byte, i) => byte !== right[i])) return false;
    }
  }
  return true;
}

/** Whether two checkpoints have the same tokenizer files; known for as long as they are open. */
const same = new WeakMap<Checkpoint, WeakMap<Checkpoint, Promise<boolean>>>();

function shareFiles(a: Checkpoint, b: Checkpoint): Promise<boolean> {
  const ofFirst = same.get(a) ?? new WeakMap<Checkpoint, Promise<boolean>>();
  same.set(a, ofFirst);
  const answer = ofFirst.get(b) ?? haveSameFiles(a, b);
  ofFirst.set(b, answer);
  answer.catch(() => ofFirst.delete(b));
  return answer;
}

/** Checkpoints by the first of them whose tokenizer files are the same byte for byte. */
export async function groupByFiles(
  checkpoints: readonly Checkpoint[],
): Promise<ReadonlyMap<Checkpoint, Checkpoint>> {
  const firsts: Checkpoint[] = [];
  const groups = new Map<Checkpoint, Checkpoint>();
  for (const checkpoint of new Set(checkpoints)) {
    let found: Checkpoint | undefined;
    for (const first of firsts) {
      if (!(await shareFiles(first, checkpoint))) continue;
      found = first;
      break;
    }
    if (!found) firsts.push(checkpoint);
    groups.set(checkpoint, found ?? checkpoint);
  }
  return groups;
}

/**
 * Vocabularies of checkpoints, one object for equal files; null for a checkpoint without a tokenizer
 * that is read.
 */
export async function openVocabularies(
  checkpoints: readonly Checkpoint[],
): Promise<ReadonlyMap<Checkpoint, Vocabulary | null>> {
  const vocabularies = new Map<Checkpoint, Vocabulary | null>();
  for (const [checkpoint, first] of await groupByFiles(checkpoints)) {
    const answer = known.get(first) ?? readVocabulary(first.files);
    known.set(first, answer);
    answer.catch(() => known.delete(first));
    vocabularies.set(checkpoint, await answer);
  }
  return vocabularies;
}

/**
 * First id that has no row in a model: its vocab_size, as mergekit counts, where its embedding has as
 * many.
 */
export function tokenLimit(checkpoint: Checkpoint, vocabulary: Vocabulary): number {
  const rows = findEmbedding(checkpoint)?.shape[0] ?? Number.POSITIVE_INFINITY;
  return Math.min(rows, checkpoint.config?.vocabSize ?? rows, endOfIds(vocabulary));
}
