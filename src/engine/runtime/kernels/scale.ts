import type { Recorder } from "./recorder.ts";

/** Workgroups along one dimension of a dispatch. */
const MOST_GROUPS = 2 ** 15;

/** y = scale · x, over `count` values, padded to whole quads. */
export function scaleValues(
  recorder: Recorder,
  x: GPUBuffer,
  y: GPUBuffer,
  { count, scale }: { readonly count: number; readonly scale: number },
): Promise<void> {
  const quads = Math.ceil(count / 4);
  const groups = Math.ceil(quads / 64);
  const across = Math.min(groups, MOST_GROUPS);
  return recorder.add({
    shaders: ["nn/scale.wgsl"],
    reads: [x],
    writes: [y],
    integers: [quads, 64 * across],
    floats: [scale],
    groups: [across, Math.ceil(groups / across)],
  });
}
