/**
 * Modules that some layouts store as one matrix, the outputs of its parts one after the other: Phi-3
 * and what was converted to or from Llama's layout. GPT-NeoX and Falcon interleave theirs by head.
 */
const FUSED: readonly (readonly [whole: string, parts: readonly string[]])[] = [
  ["qkv_proj", ["q_proj", "k_proj", "v_proj"]],
  ["Wqkv", ["q_proj", "k_proj", "v_proj"]],
  ["gate_up_proj", ["gate_proj", "up_proj"]],
];

const split = (module: string): readonly [path: string, word: string] => {
  const at = module.lastIndexOf(".") + 1;
  return [module.slice(0, at), module.slice(at)];
};

/** A module as one of the parts of a fused one. */
export interface PartOfFused {
  readonly whole: string;
  readonly index: number;
  readonly parts: number;
}

/** The fused modules that a module may be a part of. */
export function fusedAround(module: string): readonly PartOfFused[] {
  const [path, word] = split(module);
  return FUSED.flatMap(([whole, parts]) => {
    const index = parts.indexOf(word);
    return index < 0 ? [] : [{ whole: path + whole, index, parts: parts.length }];
  });
}

/** The parts that a fused module has elsewhere, in order; none for another module. */
export function partsOfFused(module: string): readonly string[] {
  const [path, word] = split(module);
  const found = FUSED.find(([whole]) => whole === word);
  return found ? found[1].map((part) => path + part) : [];
}

/**
 * First output of a part within a fused module of `total` outputs, where the part has `own`: halves,
 * or queries, keys and values, of which keys and values have equally many. Null where that does not
 * come out even.
 */
export function startInFused(
  { index, parts }: PartOfFused,
  own: number,
  total: number,
): number | null {
  const queries = parts === 2 ? total / 2 : index === 0 ? own : total - 2 * own;
  const keys = parts === 2 ? queries : (total - queries) / 2;
  const isEven = Number.isInteger(keys) && keys > 0 && queries > 0;
  if (!isEven || own !== (index === 0 ? queries : keys)) return null;
  return index === 0 ? 0 : queries + (index - 1) * keys;
}
