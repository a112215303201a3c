/** Blocks of a weight that share a scale. */
export interface ScaleBlocks {
  /** Elements that share a scale, along each axis of the weight. */
  readonly size: readonly number[];
  /** Scales along each axis. */
  readonly count: readonly number[];
}

/** Usual block size: DeepSeek's, Qwen's and Mistral's. */
const USUAL_BLOCK = 128;

/**
 * Blocks that scales of one shape imply on a weight of another: one per tensor, per row or per
 * block. `stated` is the block size in config.json (`weight_block_size`), for the last axes. Null
 * where no equal blocks fit.
 */
export function findScaleBlocks(
  weight: readonly number[],
  scale: readonly number[],
  stated: readonly number[] = [],
): ScaleBlocks | null {
  if (scale.reduce((product, axis) => product * axis, 1) === 1) {
    return { size: weight, count: weight.map(() => 1) };
  }
  if (scale.length > weight.length) return null;
  // Scales per row, or per expert, may lack the axes of length 1.
  const count = weight.map((_, i) => scale[i] ?? 1);
  const size = weight.map((length, i) => {
    const hint = stated[stated.length - weight.length + i];
    return blockSize(length, count[i]!, hint);
  });
  return size.every((axis) => axis !== null) ? { size, count } : null;
}

/** Number of elements per scale along one axis; null where ambiguous. */
function blockSize(length: number, count: number, stated: number | undefined): number | null {
  if (count === 1) return Math.max(1, length);
  if (count === length) return 1;
  const fits = (size: number | undefined): size is number =>
    size !== undefined && size > 0 && Math.ceil(length / size) === count;
  if (fits(stated)) return stated;
  if (fits(USUAL_BLOCK)) return USUAL_BLOCK;
  if (count > 0 && length % count === 0) return length / count;
  const powers = [16, 32, 64, 256, 512, 1024, 2048].filter(fits);
  return powers.length === 1 ? powers[0]! : null;
}
