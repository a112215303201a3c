import type { Gpu } from "../../gpu/device.ts";
import { ResourceScope } from "../../gpu/resourceScope.ts";
import type { LoadedWeights } from "../../runtime/decoder/loadedWeights.ts";
import type { DecoderSpec, LayerSpec } from "../../runtime/description/spec.ts";
import { layerProjections } from "../../runtime/description/tensors.ts";
import { readRows } from "../../runtime/generate/score.ts";
import type { Recorder } from "../../runtime/kernels/recorder.ts";
import { scaleValues } from "../../runtime/kernels/scale.ts";
import type { LoadedAdapter } from "./adapters.ts";
import { checkBatch, type TrainBatch } from "./batch.ts";
import { type BatchGroups, embedBackward, embedTokens } from "./embedding.ts";
import { countedPositions, type EntryBuffers, runHead } from "./head.ts";
import { backwardLayer } from "./layerBackward.ts";
import type { TrainPass } from "./pass.ts";
import type { TrainPlan } from "./plan.ts";
import type { TrainingSpace } from "./space.ts";
import { angleTable, documentTables, groupRows, rowEntropy } from "./tables.ts";
import type { Losses, Parameter, TrainableModel } from "./trainable.ts";
import { forwardTrained, type TrainedLayer } from "./trainedLayer.ts";

interface Parts {
  readonly gpu: Gpu;
  /** Decoder with aligned rows. */
  readonly spec: DecoderSpec;
  readonly plan: TrainPlan;
  readonly parameters: readonly Parameter[];
  readonly adapters: readonly LoadedAdapter[];
  readonly ends: LoadedWeights;
  readonly layers: readonly LoadedWeights[];
  readonly space: TrainingSpace;
  readonly recorder: Recorder;
  readonly ones: GPUBuffer;
  readonly kernels: TrainPass["kernels"];
  readonly scope: ResourceScope;
}

interface Call {
  /** null: losses without gradients. */
  readonly scale: number | null;
  readonly step: number | null;
  readonly signal?: AbortSignal | undefined;
}

/** A decoder with gradients. */
export class TrainedDecoder implements TrainableModel {
  readonly plan: TrainPlan;
  readonly parameters: readonly Parameter[];
  readonly adapters: readonly LoadedAdapter[];
  readonly #parts: Parts;
  readonly #gradients: ReadonlyMap<GPUBuffer, GPUBuffer>;
  readonly #adapters: ReadonlyMap<string, LoadedAdapter>;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.plan = parts.plan;
    this.parameters = parts.parameters;
    this.adapters = parts.adapters;
    this.#gradients = new Map(parts.parameters.map(({ value, gradient }) => [value, gradient]));
    this.#adapters = new Map(
      parts.adapters.map((adapter) => [`${adapter.module}.weight`, adapter]),
    );
  }

  accumulate(
    batch: TrainBatch,
    options: { readonly scale: number; readonly step: number; readonly signal?: AbortSignal },
  ): Promise<Losses> {
    return this.#inTurn(batch, options);
  }

  evaluate(batch: TrainBatch, options: { readonly signal?: AbortSignal } = {}): Promise<Losses> {
    return this.#inTurn(batch, { ...options, scale: null, step: null });
  }

  zeroGradients(): void {
    const { device } = this.#parts.gpu;
    const encoder = device.createCommandEncoder();
    for (const { gradient } of this.parameters) encoder.clearBuffer(gradient);
    device.queue.submit([encoder.finish()]);
  }

  release(): void {
    this.#parts.scope.release();
  }

  #inTurn(batch: TrainBatch, call: Call): Promise<Losses> {
    const run = this.#turn.then(() => this.#run(batch, call));
    this.#turn = run.catch(() => undefined);
    return run;
  }

  async #run(batch: TrainBatch, { scale, step, signal }: Call): Promise<Losses> {
    const { spec, space, recorder, ends, gpu } = this.#parts;
    checkBatch(batch, {
      vocabSize: spec.vocabSize,
      tokens: space.tokens,
      contextLength: spec.embedding.positions ? spec.contextLength : Number.POSITIVE_INFINITY,
    });
    const scope = new ResourceScope();
    try {
      const entries = uploadEntries(gpu, batch, scope);
      const groups = this.#upload(batch);
      const pass = this.#pass(batch.ids.length, step);
      await this.#scaleFactors();
      await embedTokens(pass, ends);
      await this.#forward(pass, signal);
      await runHead(pass, ends, batch, { entries, scale });
      if (scale !== null) await this.#backward(pass, groups, signal);
      await recorder.finish();
      return await this.#losses(batch);
    } finally {
      recorder.discard();
      scope.release();
    }
  }

  #pass(rows: number, step: number | null): TrainPass {
    const { recorder, spec, space, kernels, ones } = this.#parts;
    return {
      recorder,
      spec,
      space,
      rows,
      kernels,
      step,
      gradients: this.#gradients,
      adapters: this.#adapters,
      ones: { buffer: ones, stride: 0, offset: 0 },
    };
  }

  /** Uploads a batch's tokens, positions and document starts. */
  #upload(batch: TrainBatch): BatchGroups {
    const { gpu, space, spec } = this.#parts;
    const { queue } = gpu.device;
    const { starts, positions } = documentTables(batch);
    const byId = groupRows(batch.ids, spec.embedding.padding);
    const byPosition = groupRows(positions);
    queue.writeBuffer(space.buffer("ids"), 0, batch.ids);
    queue.writeBuffer(space.buffer("positions"), 0, positions);
    queue.writeBuffer(space.buffer("documents"), 0, starts);
    queue.writeBuffer(space.buffer("idGroups"), 0, byId.lists);
    queue.writeBuffer(space.buffer("positionGroups"), 0, byPosition.lists);
    space.angles.write(queue, (rope) => angleTable(rope, batch));
    return { ids: byId.groups, positions: byPosition.groups };
  }

  /** Computes scale · B from the present factors. */
  async #scaleFactors(): Promise<void> {
    const { adapters, recorder } = this.#parts;
    for (const { b, scaledB, scale } of adapters) {
      if (scaledB === b.value) continue;
      await scaleValues(recorder, b.value, scaledB, { count: b.count, scale });
    }
  }

  #layer(index: number): TrainedLayer {
    const { spec, layers } = this.#parts;
    return {
      index,
      spec: spec.layers[index] as LayerSpec,
      weights: layers[index] as LoadedWeights,
    };
  }

  async #forward(pass: TrainPass, signal: AbortSignal | undefined): Promise<void> {
    const last = pass.spec.layers.length - 1;
    for (let i = 0; i <= last; i++) {
      signal?.throwIfAborted();
      // The last layer's activations are still in the space when its backward pass begins.
      await forwardTrained(pass, this.#layer(i), { output: true, backward: i === last });
      pass.recorder.submit();
    }
  }

  async #backward(
    pass: TrainPass,
    groups: BatchGroups,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { layers } = pass.spec;
    const lowest = this.#lowestTrained();
    for (let i = layers.length - 1; i >= Math.max(0, lowest); i--) {
      signal?.throwIfAborted();
      if (i < layers.length - 1) {
        await forwardTrained(pass, this.#layer(i), { output: false, backward: true });
      }
      await backwardLayer(pass, this.#layer(i), { lowest: i === lowest });
      pass.recorder.submit();
    }
    if (lowest < 0) await embedBackward(pass, this.#parts.ends, groups);
  }

  /**
   * Index of the first layer with something to train: -1 for the embedding, past the last for the
   * head.
   */
  #lowestTrained(): number {
    const { adapters, spec } = this.#parts;
    if (adapters.length === 0 || this.#adapters.has(spec.embedding.tensor)) return -1;
    const found = spec.layers.findIndex((layer) =>
      layerProjections(layer).some(({ weight }) => this.#adapters.has(weight)),
    );
    return found < 0 ? spec.layers.length : found;
  }

  async #losses(batch: TrainBatch): Promise<Losses> {
    const { gpu, space } = this.#parts;
    const counted = countedPositions(batch);
    const losses = { clm: 0, fusion: 0, entropy: 0, tokens: 0, fusedTokens: 0 };
    if (counted.length === 0) return losses;
    const block = {
      buffer: space.buffer("nats"),
      first: 0,
      rows: 1,
      rowStride: 2 * counted.length,
    };
    const nats = await readRows(gpu, block, 2 * counted.length);
    const { fused } = batch;
    for (const [i, t] of counted.entries()) {
      const weight = batch.weights[t] as number;
      losses.clm += weight * (nats[2 * i] as number);
      losses.tokens += weight;
      if (!fused || fused.starts[t] === fused.starts[t + 1]) continue;
      losses.fusion += weight * (nats[2 * i + 1] as number);
      losses.entropy += weight * rowEntropy(batch, t);
      losses.fusedTokens += weight;
    }
    return losses;
  }
}

/** Uploads the entries of the fused rows, as pairs of token and probability. */
function uploadEntries(gpu: Gpu, { fused }: TrainBatch, scope: ResourceScope): EntryBuffers {
  const count = fused?.ids.length ?? 0;
  const { STORAGE, COPY_DST } = GPUBufferUsage;
  const allocate = (label: string, byteLength: number) =>
    scope.keep(gpu.pool.allocate(label, byteLength, STORAGE | COPY_DST)).buffer;
  const buffers = {
    entries: allocate("fused rows", 8 * count),
    taken: allocate("fused gradients", 4 * count),
  };
  if (!fused || count === 0) return buffers;
  const words = new Uint32Array(2 * count);
  const floats = new Float32Array(words.buffer);
  for (let i = 0; i < count; i++) {
    words[2 * i] = fused.ids[i] as number;
    floats[2 * i + 1] = fused.probabilities[i] as number;
  }
  gpu.device.queue.writeBuffer(buffers.entries, 0, words);
  return buffers;
}
