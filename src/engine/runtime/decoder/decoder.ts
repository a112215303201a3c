import type { Gpu } from "../../gpu/device.ts";
import { isLongText, ropeFrequencies, ropeTable } from "../description/rope.ts";
import type { DecoderSpec, LayerSpec } from "../description/spec.ts";
import { headProjection, layerTensors } from "../description/tensors.ts";
import { normalise, softcap } from "../kernels/kernels.ts";
import { embed, multiply, type Rows } from "../kernels/multiply.ts";
import type { Recorder } from "../kernels/recorder.ts";
import {
  checkTokens,
  type ForwardOptions,
  type LanguageModel,
  type TokenCache,
} from "../languageModel.ts";
import { KeyValueCache, type KeyValues } from "./cache.ts";
import { forwardLayer, type Kernels, type LayerPass, type Span } from "./layer.ts";
import { streamLayers } from "./layerStream.ts";
import { type LoadedProjection, LoadedWeights } from "./loadedWeights.ts";
import type { DecoderPlan } from "./plan.ts";
import type { WeightLoader } from "./weights.ts";
import type { Workspace } from "./workspace.ts";

/** A decoder-only transformer, run in WGSL from one checkpoint's weights. */
export class Decoder implements LanguageModel {
  readonly spec: DecoderSpec;
  readonly plan: DecoderPlan;
  readonly #gpu: Gpu;
  readonly #loader: WeightLoader;
  readonly #space: Workspace;
  readonly #recorder: Recorder;
  readonly #ends: LoadedWeights;
  /** All layers; empty where they are streamed. */
  readonly #layers: readonly LoadedWeights[];
  readonly #kernels: Kernels;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: {
    readonly gpu: Gpu;
    readonly plan: DecoderPlan;
    readonly loader: WeightLoader;
    readonly space: Workspace;
    readonly recorder: Recorder;
    readonly ends: LoadedWeights;
    readonly layers: readonly LoadedWeights[];
    readonly kernels: Kernels;
  }) {
    this.spec = parts.plan.spec;
    this.plan = parts.plan;
    this.#gpu = parts.gpu;
    this.#loader = parts.loader;
    this.#space = parts.space;
    this.#recorder = parts.recorder;
    this.#ends = parts.ends;
    this.#layers = parts.layers;
    this.#kernels = parts.kernels;
  }

  get vocabSize(): number {
    return this.spec.vocabSize;
  }

  get contextLength(): number {
    return this.spec.contextLength;
  }

  get maxTokens(): number {
    const { embedding, contextLength } = this.spec;
    return embedding.positions === null ? Number.POSITIVE_INFINITY : contextLength;
  }

  newCache(capacity: number): KeyValueCache {
    return new KeyValueCache(this.#gpu, this.spec, capacity);
  }

  forward(ids: readonly number[], options: ForwardOptions): Promise<void> {
    const run = this.#turn.then(() => this.#forward(ids, options));
    this.#turn = run.catch(() => undefined);
    return run;
  }

  async #forward(ids: readonly number[], options: ForwardOptions): Promise<void> {
    const cache = (options.cache as KeyValueCache | undefined) ?? this.newCache(ids.length);
    try {
      this.#checkIds(ids, cache);
      const length = cache.length + ids.length;
      const known = this.#rewind(cache, length);
      const all = [...known, ...ids];
      const wanted = options.logits === "all" ? known.length : all.length - 1;
      for (let first = 0; first < all.length; first += this.#space.rows) {
        options.signal?.throwIfAborted();
        const some = all.slice(first, first + this.#space.rows);
        await this.#readTokens(some, cache, { length, before: first - known.length, options });
        const from = Math.max(0, wanted - first);
        if (from < some.length) {
          await this.#handOut(first - known.length, from, some.length, options.onLogits);
        }
      }
    } finally {
      this.#recorder.discard();
      if (!options.cache) cache.release();
    }
  }

  #checkIds(ids: readonly number[], { length, capacity }: TokenCache): void {
    const room = Math.min(capacity, this.maxTokens);
    checkTokens(ids, { vocabSize: this.vocabSize, before: length, room });
  }

  /**
   * Tokens of a cache to read again because a text of this length rotates keys by other factors:
   * none, or all, as in transformers.
   */
  #rewind(cache: KeyValueCache, length: number): readonly number[] {
    const isLong = this.spec.layers.some(
      ({ attention: { rope } }) => rope !== null && isLongText(rope, length),
    );
    const known = cache.isLong === isLong ? [] : [...cache.ids];
    if (known.length > 0) cache.truncate(0);
    cache.isLong = isLong;
    return known;
  }

  /**
   * Runs the layers over tokens that fit the workspace, and leaves the residual there. `length` is
   * the length of the text at the end of the call, `before` the position of the first token in it.
   */
  async #readTokens(
    ids: readonly number[],
    cache: KeyValueCache,
    {
      length,
      before,
      options: { signal, onLayerInput },
    }: { readonly length: number; readonly before: number; readonly options: ForwardOptions },
  ): Promise<void> {
    const span: Span = { start: cache.length, rows: ids.length };
    await this.#embed(ids, span, length);
    const { spec } = this;
    const pass = this.#pass(span);
    const run = async (weights: LoadedWeights, i: number) => {
      signal?.throwIfAborted();
      const layer = spec.layers[i] as LayerSpec;
      const buffers = this.#space.ofLayer(layer, cache.layers[i] as KeyValues);
      if (onLayerInput) {
        await this.#recorder.finish();
        const { buffer, stride } = buffers.input;
        await onLayerInput({
          layer: i,
          buffer,
          first: before,
          rows: ids.length,
          rowStride: stride,
        });
      }
      await forwardLayer(pass, layer, weights, buffers);
      this.#recorder.submit();
    };
    if (this.plan.streamed) {
      const load = (i: number) =>
        LoadedWeights.load(this.#loader, layerTensors(spec, spec.layers[i] as LayerSpec));
      await streamLayers(
        spec.layers.length,
        { load, ahead: this.plan.ahead },
        async (weights, i) => {
          await run(weights, i);
          // WebGPU frees a destroyed buffer only after the work that was submitted before.
          await this.#recorder.finish();
        },
      );
    } else {
      for (const [i, weights] of this.#layers.entries()) await run(weights, i);
    }
    await this.#recorder.finish();
    cache.append(ids);
  }

  #pass(span: Span): LayerPass {
    const recorder = this.#recorder;
    const { rows } = span;
    return {
      recorder,
      span,
      spec: this.spec,
      kernels: this.#kernels,
      project: (projection, x, out, accumulate) =>
        this.#project(projection, x, out, { rows, accumulate }),
    };
  }

  #project(
    { spec, matrix, bias }: LoadedProjection,
    x: Rows,
    out: Rows,
    { rows, accumulate }: { readonly rows: number; readonly accumulate: boolean },
  ): Promise<void> {
    const { layout, inputs, outputs } = spec;
    const { format } = matrix;
    const kernel = this.#kernels.matmul({ rows, inputs, outputs, layout, format });
    return multiply(this.#recorder, x, matrix, out, { rows, layout, bias, kernel, accumulate });
  }

  async #embed(ids: readonly number[], { start, rows }: Span, length: number): Promise<void> {
    const { queue } = this.#gpu.device;
    const space = this.#space;
    const residual = space.rowsOf("residual");
    const { embedding } = this.spec;
    queue.writeBuffer(space.buffer("indices"), 0, Uint32Array.from(ids));
    space.angles.write(queue, (rope) => ropeTable(ropeFrequencies(rope, length), start, rows));
    const tokens = { rows, scale: embedding.scale, accumulate: false };
    await embed(
      this.#recorder,
      space.buffer("indices"),
      this.#ends.matrix(embedding.tensor),
      residual,
      tokens,
    );
    if (embedding.positions !== null) {
      const positions = Uint32Array.from(ids, (_, row) => start + row);
      queue.writeBuffer(space.buffer("positions"), 0, positions);
      const options = { rows, scale: 1, accumulate: true };
      const table = this.#ends.matrix(embedding.positions);
      await embed(this.#recorder, space.buffer("positions"), table, residual, options);
    }
  }

  /** Passes on the logits of the residual's rows [from, to), block by block. */
  async #handOut(
    first: number,
    from: number,
    to: number,
    onLogits: ForwardOptions["onLogits"],
  ): Promise<void> {
    const { spec } = this;
    const space = this.#space;
    const recorder = this.#recorder;
    const logits = space.rowsOf("logits");
    const finalNorm = this.#ends.norm(spec.finalNorm);
    const head = this.#ends.projection(headProjection(spec));
    for (let row = from; row < to; row += space.logitRows) {
      const rows = Math.min(space.logitRows, to - row);
      const normed = space.rowsOf("normed");
      const residual = space.rowsOf("residual", row);
      const shape = { rows, width: spec.hiddenSize };
      await normalise(recorder, spec.norm, finalNorm, residual, normed, shape);
      await this.#project(head, normed, logits, { rows, accumulate: false });
      if (spec.head.softcap !== null) {
        await softcap(recorder, logits, spec.head.softcap, { rows, columns: spec.vocabSize });
      }
      await recorder.finish();
      await onLogits({ buffer: logits.buffer, first: first + row, rows, rowStride: logits.stride });
    }
  }

  release(): void {
    for (const layer of this.#layers) layer.release();
    this.#ends.release();
    this.#space.release();
    this.#recorder.release();
  }
}
