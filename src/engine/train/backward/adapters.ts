import { uniform } from "../../core/random.ts";
import { PLAIN_FORMATS } from "../../core/tensor/weightFormat.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { ResourceScope } from "../../gpu/resourceScope.ts";
import type { Matrix } from "../../runtime/decoder/weights.ts";
import type { DecoderSpec } from "../../runtime/description/spec.ts";
import { type AdaptedModule, adaptedModules } from "./adaptedModules.ts";
import { allocateValues, makeParameter } from "./parameters.ts";
import type { LoraTarget } from "./target.ts";
import type { Adapter, Parameter } from "./trainable.ts";

/** LoRA factors on the GPU, as the kernels read them. */
export interface LoadedAdapter extends Adapter {
  readonly rank: number;
  /** Index among the adapters, which seeds its dropout. */
  readonly index: number;
  readonly dropout: number;
  readonly seed: number;
  readonly aMatrix: Matrix;
  readonly bMatrix: Matrix;
  /** scale · B, computed before each pass; an embedding's B is not scaled. */
  readonly scaledB: GPUBuffer;
  readonly scaledMatrix: Matrix;
}

/** Scale of Δ = scale · B · A. */
function loraScale({ alpha, rank, rslora }: LoraTarget): number {
  return alpha / (rslora ? Math.sqrt(rank) : rank);
}

/** Creates the factors of every targeted module, initialised as in PEFT. */
export function makeAdapters(
  gpu: Gpu,
  spec: DecoderSpec,
  target: LoraTarget,
  scope: ResourceScope,
): readonly LoadedAdapter[] {
  return adaptedModules(spec, target).map((module, index) => {
    const { rank } = target;
    const [aName, bName] = factorNames(module);
    const a = makeParameter(gpu, { name: aName, shape: [rank, module.inputs] }, scope);
    const b = makeParameter(gpu, { name: bName, shape: [module.outputs, rank] }, scope);
    const room = () => allocateValues(gpu, `scaled ${bName}`, b.count, scope);
    const isEmbedding = module.kind === "embedding";
    const scaledB = isEmbedding ? b.value : room();
    const { device } = gpu;
    if (isEmbedding) {
      device.queue.writeBuffer(b.value, 0, normalValues(b.count, target.seed, bName));
    } else {
      const bound = module.inputs ** -0.5;
      device.queue.writeBuffer(a.value, 0, uniformValues(a.count, bound, target.seed, aName));
    }
    return {
      module: module.module,
      tensor: module.tensor,
      layout: module.layout,
      scale: loraScale(target),
      a,
      b,
      rank,
      index,
      seed: target.seed,
      dropout: isEmbedding ? 0 : target.dropout,
      aMatrix: matrixOf(a.value, a.shape),
      bMatrix: matrixOf(b.value, b.shape),
      scaledB,
      scaledMatrix: matrixOf(scaledB, b.shape),
    };
  });
}

function factorNames({ module, kind }: AdaptedModule): readonly [string, string] {
  const prefix = `base_model.model.${module}.`;
  return kind === "embedding"
    ? [`${prefix}lora_embedding_A`, `${prefix}lora_embedding_B`]
    : [`${prefix}lora_A.weight`, `${prefix}lora_B.weight`];
}

function matrixOf(buffer: GPUBuffer, shape: Parameter["shape"]): Matrix {
  const [rows, columns] = shape as [number, number];
  return { panels: [{ buffer, first: 0, rows }], format: PLAIN_FORMATS.F32, rows, columns };
}

/** A 32-bit seed from a seed and a name (FNV-1a). */
function seedOf(seed: number, name: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

function uniformValues(count: number, bound: number, seed: number, name: string) {
  const own = seedOf(seed, name);
  return Float32Array.from({ length: count }, (_, i) => bound * (2 * uniform(own, i) - 1));
}

/** Normally distributed values, by Box and Muller's method. */
function normalValues(count: number, seed: number, name: string) {
  const own = seedOf(seed, name);
  return Float32Array.from({ length: count }, (_, i) => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform(own, i - (i % 2))));
    const angle = 2 * Math.PI * uniform(own, i - (i % 2) + 1);
    return radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  });
}
