import type { Gpu } from "../../gpu/device.ts";
import type { LanguageModel } from "../languageModel.ts";
import { readRows } from "./score.ts";

/** Which of a text's hidden states are wanted: the last token's, or the mean over all tokens. */
export type HiddenOf = "last" | "mean";

/**
 * Hidden states of a text at the input of every layer, `[hidden]` each in float64: transformers'
 * `hidden_states[:-1]`. Errors: those of `forward`.
 */
export async function readHiddenStates(
  gpu: Gpu,
  model: LanguageModel,
  ids: readonly number[],
  of: HiddenOf,
  options: { readonly signal?: AbortSignal } = {},
): Promise<readonly Float64Array[]> {
  const states: Float64Array[] = [];
  await model.forward(ids, {
    ...options,
    logits: "last",
    onLogits: () => undefined,
    async onLayerInput(input) {
      const { layer, first, rows, rowStride } = input;
      if (of === "last" && first + rows < ids.length) return;
      const values = await readRows(gpu, input, rowStride);
      states[layer] ??= new Float64Array(rowStride);
      const state = states[layer];
      for (let row = of === "last" ? rows - 1 : 0; row < rows; row++) {
        for (let i = 0; i < rowStride; i++) state[i]! += values[row * rowStride + i]!;
      }
    },
  });
  return of === "last" ? states : states.map((sum) => sum.map((value) => value / ids.length));
}
