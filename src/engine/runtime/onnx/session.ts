import type { InferenceSession, Tensor } from "onnxruntime-web";
import { EngineError } from "../../contract/index.ts";
import type { Gpu } from "../../gpu/device.ts";
import { inTurn, type OnnxRuntime } from "./runtime.ts";
import { BRANCH_INPUT, type OnnxSignature } from "./signature.ts";

/** Execution provider: the shared device, or the CPU. */
export type OnnxProvider = "webgpu" | "wasm";

/** Outputs of a run; the caller disposes of them. */
export interface OnnxRun {
  /** `[1, tokens, vocabulary]` */
  readonly logits: Tensor;
  /** Keys and values, by the input that takes them in the next run. */
  readonly past: ReadonlyMap<string, Tensor>;
}

/** An ONNX Runtime session of a decoder. */
export class OnnxSession {
  readonly name: string;
  readonly signature: OnnxSignature;
  readonly #gpu: Gpu;
  readonly #runtime: OnnxRuntime;
  readonly #session: InferenceSession;

  constructor(parts: {
    readonly gpu: Gpu;
    readonly name: string;
    readonly runtime: OnnxRuntime;
    readonly session: InferenceSession;
    readonly signature: OnnxSignature;
  }) {
    this.#gpu = parts.gpu;
    this.name = parts.name;
    this.#runtime = parts.runtime;
    this.#session = parts.session;
    this.signature = parts.signature;
  }

  /** Runs `ids` after the `start` tokens in `past`, which stays the caller's. */
  run(ids: readonly number[], start: number, past: ReadonlyMap<string, Tensor>): Promise<OnnxRun> {
    return inTurn(async () => {
      if (this.#gpu.isLost) await this.#gpu.guard(this.name, () => undefined); // says so
      const made: Tensor[] = [];
      try {
        const feeds: Record<string, Tensor> = {};
        const feed = (name: string, tensor: Tensor) => {
          feeds[name] = tensor;
          made.push(tensor);
        };
        const end = start + ids.length;
        const values = {
          input_ids: ids,
          attention_mask: Array.from({ length: end }, () => 1),
          position_ids: ids.map((_, i) => start + i),
        };
        for (const [name, type] of this.signature.ids)
          feed(name, this.#integers(type, values[name]));
        if (this.signature.branches) {
          feed(BRANCH_INPUT, new this.#runtime.Tensor("bool", [past.size > 0], [1]));
        }
        for (const { input, dtype, heads, headDim } of this.signature.past) {
          const kept = past.get(input);
          if (kept) feeds[input] = kept;
          else {
            const nothing = dtype === "float16" ? new Uint16Array(0) : new Float32Array(0);
            feed(input, new this.#runtime.Tensor(dtype, nothing, [1, heads, 0, headDim]));
          }
        }
        return this.#sort(await this.#session.run(feeds), ids.length);
      } catch (error) {
        throw this.#explain(error);
      } finally {
        for (const tensor of made) tensor.dispose();
      }
    });
  }

  #integers(type: "int64" | "int32", values: readonly number[]): Tensor {
    const data = type === "int64" ? BigInt64Array.from(values, BigInt) : Int32Array.from(values);
    return new this.#runtime.Tensor(type, data, [1, values.length]);
  }

  #sort(outputs: InferenceSession.OnnxValueMapType, tokens: number): OnnxRun {
    const { logits, ...others } = outputs as Record<string, Tensor>;
    const past = new Map<string, Tensor>();
    for (const { input, output } of this.signature.past) {
      const tensor = others[output];
      delete others[output];
      if (tensor) past.set(input, tensor);
    }
    for (const tensor of Object.values(others)) tensor.dispose();
    const [batch, rows, columns] = logits?.dims ?? [];
    if (logits && logits.dims.length === 3 && batch === 1 && rows === tokens && columns) {
      return { logits, past };
    }
    for (const tensor of [...past.values(), ...(logits ? [logits] : [])]) tensor.dispose();
    throw new EngineError(
      "bad-shape",
      `${this.name} gave logits of the shape [${logits?.dims.join(", ")}] for ${tokens} tokens; [1, ${tokens}, vocabulary] is what a decoder gives.`,
      { model: this.name, tokens },
    );
  }

  #explain(error: unknown): EngineError {
    return explainFailure(error, `ONNX Runtime could not run ${this.name}`, this.name);
  }

  release(): Promise<void> {
    return inTurn(() => this.#session.release());
  }
}

/** An `EngineError` for a failure of ONNX Runtime, with its message. */
export function explainFailure(error: unknown, what: string, name: string): EngineError {
  if (error instanceof EngineError) return error;
  const said = (error instanceof Error ? error.message : String(error)).trim().slice(0, 500);
  const full = /out of memory|bad_alloc|failed to allocate|allocation failed|maxBufferSize/i;
  return full.test(said)
    ? new EngineError(
        "gpu-memory",
        `${what}, for want of memory: ${said} Take an fp16 or quantised export, or fewer tokens.`,
        { model: name },
        error,
      )
    : new EngineError("unsupported-architecture", `${what}: ${said}`, { model: name }, error);
}
