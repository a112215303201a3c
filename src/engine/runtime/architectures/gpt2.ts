import { readActivation } from "../description/activation.ts";
import type { Architecture } from "../description/architecture.ts";
import { linear, normTensors, oneAfterTheOther, readSizes } from "../description/blocks.ts";
import type { MlpSpec, Projection } from "../description/spec.ts";

/** A linear map as GPT-2's Conv1D stores it: `[inputs, outputs]`, with a bias. */
function conv1d(name: string, inputs: number, outputs: number): Projection {
  return { ...linear(name, inputs, outputs, { bias: true }), layout: "in_out" };
}

/** GPT-2: learned positions, matrices stored transposed. */
export default {
  modelType: "gpt2",
  defaults: { n_positions: 1024 },
  describe(config, tied) {
    const { hiddenSize, heads, headDim, layers, vocabSize, contextLength } = readSizes(config);
    const size = config.integer(["n_inner"], {}, 4 * hiddenSize);
    const views = oneAfterTheOther(heads, heads, headDim);
    const scaled = config.boolean(["scale_attn_weights"], true);
    const mlp: MlpSpec = {
      size,
      activation: readActivation(config, ["activation_function"], "gelu_new"),
      gateOffset: null,
      upOffset: 0,
      rowStride: size,
    };
    const byLayer = config.boolean(["scale_attn_by_inverse_layer_idx"], false);
    return {
      architecture: "gpt2",
      optionalPrefix: "transformer.",
      vocabSize,
      hiddenSize,
      contextLength,
      embedding: {
        tensor: "transformer.wte.weight",
        scale: 1,
        padding: null,
        positions: "transformer.wpe.weight",
      },
      norm: {
        kind: "layer",
        epsilon: config.number(["layer_norm_epsilon"], { min: 0, max: 1 }, 1e-5),
        weightOffset: 0,
      },
      parallelResidual: false,
      layers: Array.from({ length: layers }, (_, i) => {
        const prefix = `transformer.h.${i}.`;
        return {
          attention: {
            heads,
            kvHeads: heads,
            headDim,
            window: null,
            scale: (scaled ? headDim ** -0.5 : 1) / (byLayer ? i + 1 : 1),
            softcap: null,
            rope: null,
            ...views,
          },
          mlp,
          attentionNorm: normTensors(`${prefix}ln_1`, true),
          qkv: [conv1d(`${prefix}attn.c_attn`, hiddenSize, 3 * hiddenSize)],
          queryNorm: null,
          keyNorm: null,
          attentionOut: conv1d(`${prefix}attn.c_proj`, hiddenSize, hiddenSize),
          postAttentionNorm: null,
          mlpNorm: normTensors(`${prefix}ln_2`, true),
          mlpIn: [conv1d(`${prefix}mlp.c_fc`, hiddenSize, size)],
          mlpOut: conv1d(`${prefix}mlp.c_proj`, size, hiddenSize),
          postMlpNorm: null,
        };
      }),
      finalNorm: normTensors("transformer.ln_f", true),
      head: {
        tensor: tied ? "transformer.wte.weight" : "lm_head.weight",
        bias: null,
        softcap: null,
      },
    };
  },
} satisfies Architecture;
