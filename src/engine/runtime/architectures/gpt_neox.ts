import { readActivation } from "../description/activation.ts";
import type { Architecture } from "../description/architecture.ts";
import { linear, normTensors, readSizes } from "../description/blocks.ts";
import { readRope } from "../description/ropeSpec.ts";
import type { AttentionSpec, MlpSpec } from "../description/spec.ts";

/** GPT-NeoX and Pythia: parallel attention and MLP, partly rotated heads, biases. */
export default {
  modelType: "gpt_neox",
  defaults: { max_position_embeddings: 2048 },
  describe(config, tied) {
    const sizes = readSizes(config);
    const { hiddenSize, heads, headDim } = sizes;
    const size = config.integer(["intermediate_size"]);
    const bias = config.boolean(["attention_bias"], true);
    // One matrix holds query, key and value of each head next to each other.
    const headStride = 3 * headDim;
    const attention: AttentionSpec = {
      heads,
      kvHeads: heads,
      headDim,
      window: null,
      scale: headDim ** -0.5,
      softcap: null,
      rope: readRope(config, headDim, 0.25),
      rowStride: heads * headStride,
      query: { offset: 0, headStride },
      key: { offset: headDim, headStride },
      value: { offset: 2 * headDim, headStride },
    };
    const mlp: MlpSpec = {
      size,
      activation: readActivation(config, ["hidden_act"], "gelu"),
      gateOffset: null,
      upOffset: 0,
      rowStride: size,
    };
    return {
      architecture: "gpt_neox",
      optionalPrefix: "gpt_neox.",
      vocabSize: sizes.vocabSize,
      hiddenSize,
      contextLength: sizes.contextLength,
      embedding: { tensor: "gpt_neox.embed_in.weight", scale: 1, padding: null, positions: null },
      norm: {
        kind: "layer",
        epsilon: config.number(["layer_norm_eps"], { min: 0, max: 1 }, 1e-5),
        weightOffset: 0,
      },
      parallelResidual: config.boolean(["use_parallel_residual"], true),
      layers: Array.from({ length: sizes.layers }, (_, i) => {
        const prefix = `gpt_neox.layers.${i}.`;
        return {
          attention,
          mlp,
          attentionNorm: normTensors(`${prefix}input_layernorm`, true),
          qkv: [
            linear(`${prefix}attention.query_key_value`, hiddenSize, heads * headStride, { bias }),
          ],
          queryNorm: null,
          keyNorm: null,
          attentionOut: linear(`${prefix}attention.dense`, heads * headDim, hiddenSize, { bias }),
          postAttentionNorm: null,
          mlpNorm: normTensors(`${prefix}post_attention_layernorm`, true),
          mlpIn: [linear(`${prefix}mlp.dense_h_to_4h`, hiddenSize, size, { bias: true })],
          mlpOut: linear(`${prefix}mlp.dense_4h_to_h`, size, hiddenSize, { bias: true }),
          postMlpNorm: null,
        };
      }),
      finalNorm: normTensors("gpt_neox.final_layer_norm", true),
      head: {
        tensor: tied ? "gpt_neox.embed_in.weight" : "embed_out.weight",
        bias: null,
        softcap: null,
      },
    };
  },
} satisfies Architecture;
