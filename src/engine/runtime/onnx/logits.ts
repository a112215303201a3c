import type { Tensor } from "onnxruntime-web";
import type { Gpu } from "../../gpu/device.ts";
import type { PooledBuffer } from "../../gpu/pool.ts";
import type { LogitsBlock } from "../languageModel.ts";

/** Bytes of logits passed on at once. */
const BLOCK_BYTES = 16 * 2 ** 20;
/** Alignment of a binding that every device supports. */
const ALIGNMENT = 256;

/** Converts rows of ONNX Runtime's logits, `[1, tokens, vocabulary]`, to blocks of f32. */
export class LogitsRows {
  /** Rows of one block. */
  readonly rows: number;
  readonly stride: number;
  readonly #gpu: Gpu;
  readonly #vocabSize: number;
  readonly #out: PooledBuffer;
  readonly #shape: PooledBuffer;

  constructor(gpu: Gpu, vocabSize: number) {
    const { STORAGE, COPY_SRC, COPY_DST, UNIFORM } = GPUBufferUsage;
    this.#gpu = gpu;
    this.#vocabSize = vocabSize;
    this.stride = 4 * Math.ceil(vocabSize / 4);
    this.rows = Math.max(1, Math.min(4096, Math.floor(BLOCK_BYTES / (4 * this.stride))));
    const byteLength = 4 * this.rows * this.stride;
    this.#out = gpu.pool.allocate("ONNX logits", byteLength, STORAGE | COPY_SRC | COPY_DST);
    this.#shape = gpu.pool.allocate("ONNX logits' shape", 16, UNIFORM | COPY_DST);
  }

  /**
   * Converts rows [from, to) of the logits, at most `rows` of them; `first` is the block's
   * position.
   */
  async convert(logits: Tensor, from: number, to: number, first: number): Promise<LogitsBlock> {
    const rows = to - from;
    const width = logits.type === "float16" ? 2 : 4;
    const start = from * this.#vocabSize * width;
    const end = Math.ceil((to * this.#vocabSize * width) / 4) * 4;
    const offset = Math.floor(start / ALIGNMENT) * ALIGNMENT;
    if (logits.location === "gpu-buffer") {
      const source = { buffer: logits.gpuBuffer, offset, size: end - offset };
      await this.#run(source, { rows, first: (start - offset) / width, half: width === 2 });
    } else {
      const data = logits.data as Exclude<Tensor["data"], string[]>;
      const bytes = new Uint8Array(end - offset); // an odd count of halves ends within a word
      const { buffer, byteOffset, byteLength } = data;
      const length = Math.min(end, byteLength) - offset;
      bytes.set(new Uint8Array(buffer, byteOffset + offset, length));
      await this.#upload(bytes, { rows, first: (start - offset) / width, half: width === 2 });
    }
    return { buffer: this.#out.buffer, first, rows, rowStride: this.stride };
  }

  async #upload(bytes: Uint8Array<ArrayBuffer>, shape: RowsShape): Promise<void> {
    const { STORAGE, COPY_DST } = GPUBufferUsage;
    const label = "ONNX logits from the CPU";
    const staged = this.#gpu.pool.allocate(label, bytes.byteLength, STORAGE | COPY_DST);
    try {
      this.#gpu.device.queue.writeBuffer(staged.buffer, 0, bytes);
      await this.#run({ buffer: staged.buffer }, shape);
    } finally {
      staged.release();
    }
  }

  async #run(source: GPUBufferBinding, { rows, first, half }: RowsShape): Promise<void> {
    const { device } = this.#gpu;
    const pipeline = await this.#gpu.pipeline(["onnx/rows.wgsl"], { HALF: half }, [
      "read-only-storage",
      "storage",
      "uniform",
    ]);
    await this.#gpu.guard("ONNX logits", () => {
      const shape = Uint32Array.of(rows, this.#vocabSize, first, this.stride);
      device.queue.writeBuffer(this.#shape.buffer, 0, shape);
      const resources = [source, { buffer: this.#out.buffer }, { buffer: this.#shape.buffer }];
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(
        0,
        device.createBindGroup({
          layout: pipeline.getBindGroupLayout(0),
          entries: resources.map((resource, binding) => ({ binding, resource })),
        }),
      );
      pass.dispatchWorkgroups(Math.ceil(this.#vocabSize / 64), rows);
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
  }

  release(): void {
    this.#out.release();
    this.#shape.release();
  }
}

interface RowsShape {
  readonly rows: number;
  /** First value, counted from the start of the binding. */
  readonly first: number;
  readonly half: boolean;
}
