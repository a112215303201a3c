import type { Checkpoint, CheckpointTensor } from "../checkpoint.ts";

/**
 * Wrapper names that transformers' classes or saving tools put before the same tensors: `model.`
 * and `transformer.` of causal models, `language_model.model.` and `model.language_model.` of
 * transformers' old and new vision-language layouts, `module.` of torch's DataParallel,
 * `_orig_mod.` of torch.compile, `auto_model.` of sentence-transformers.
 */
const WRAPPERS: ReadonlySet<string> = new Set([
  "module",
  "_orig_mod",
  "auto_model",
  "model",
  "transformer",
  "language_model",
  "text_model",
]);
/** Largest number of words in a base model's prefix: `bert`, `0.auto_model`. */
const PREFIX_WORDS = 3;

/** Name of a tensor without leading wrappers: the same in all layouts of a model. */
export function bareName(name: string): string {
  const words = name.split(".");
  let first = 0;
  // The last two words name the tensor itself: `lm_head.weight`.
  while (first < words.length - 2 && WRAPPERS.has(words[first]!)) first++;
  return words.slice(first).join(".");
}

/** Names by their bare form; null where two share one. */
function byBareName(names: Iterable<string>): ReadonlyMap<string, string | null> {
  const found = new Map<string, string | null>();
  for (const name of names) {
    const bare = bareName(name);
    found.set(bare, found.has(bare) ? null : name);
  }
  return found;
}

/** All ways to cut one to three words off the front of a name. */
function* cutPrefixes(name: string): Generator<readonly [prefix: string, rest: string]> {
  let at = -1;
  for (let words = 0; words < PREFIX_WORDS; words++) {
    at = name.indexOf(".", at + 1);
    if (at < 0) return;
    yield [name.slice(0, at + 1), name.slice(at + 1)];
  }
}

/** Prefix whose removal turns most of `names` into others of `among`, with their number. */
function findPrefix(names: Iterable<string>, among: ReadonlySet<string>): [string, number] {
  const votes = new Map<string, number>();
  for (const name of names) {
    for (const [prefix, rest] of cutPrefixes(name)) {
      if (among.has(rest)) votes.set(prefix, (votes.get(prefix) ?? 0) + 1);
    }
  }
  let best: [string, number] = ["", 0];
  for (const [prefix, count] of votes) if (count > best[1]) best = [prefix, count];
  return best;
}

/**
 * Names of `theirs` that match a tensor of `ours` under another name, with that name. Known
 * wrappers are tried first; where half of the tensors remain unmatched, any common prefix (`bert.`,
 * `roberta.`, `backbone.`).
 */
export function matchNames(
  ours: ReadonlySet<string>,
  theirs: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const lacking = new Set([...ours].filter((name) => !theirs.has(name)));
  const strange = new Set([...theirs].filter((name) => !ours.has(name)));
  const matched = new Map<string, string>();
  const match = (their: string, our: string | null | undefined) => {
    if (!our || !lacking.delete(our)) return;
    strange.delete(their);
    matched.set(their, our);
  };
  const bare = byBareName(ours);
  for (const [form, their] of byBareName(theirs)) {
    if (their !== null && strange.has(their)) match(their, bare.get(form));
  }
  const common = theirs.size - strange.size;
  const smaller = Math.min(ours.size, theirs.size);
  if (2 * common >= smaller) return matched;

  const [longer, gained] = findPrefix(strange, lacking);
  const [shorter, regained] = findPrefix(lacking, strange);
  if (2 * (common + Math.max(gained, regained)) < smaller) return matched;
  for (const their of [...strange]) {
    if (gained >= regained) {
      if (their.startsWith(longer)) match(their, their.slice(longer.length));
    } else match(their, shorter + their);
  }
  return matched;
}

const aligned = new WeakMap<Checkpoint, WeakMap<Checkpoint, Checkpoint>>();

/**
 * Checkpoint with its tensors renamed to another layout of the same model; the same object where no
 * name differs, or none matches. Repeated calls return the same object.
 */
export function alignNames(checkpoint: Checkpoint, template: Checkpoint): Checkpoint {
  if (checkpoint === template) return checkpoint;
  const known = aligned.get(template) ?? new WeakMap<Checkpoint, Checkpoint>();
  aligned.set(template, known);
  const answer = known.get(checkpoint) ?? rename(checkpoint, template);
  known.set(checkpoint, answer);
  return answer;
}

function rename(checkpoint: Checkpoint, template: Checkpoint): Checkpoint {
  const names = (of: Checkpoint) => new Set(of.tensors.keys());
  const matched = matchNames(names(template), names(checkpoint));
  if (matched.size === 0) return checkpoint;
  const tensors = [...checkpoint.tensors].map(([own, tensor]): [string, CheckpointTensor] => {
    const name = matched.get(own) ?? own;
    return [name, { ...tensor, name }];
  });
  return { ...checkpoint, tensors: new Map(tensors) };
}
