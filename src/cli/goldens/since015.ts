/**
 * Cases that mergekit 0.1.4, whose answers the goldens are, refuses or answers with NaN, and that
 * 0.1.5, as which recipes are read, answers: with the base, or with these values. Seen by running
 * 0.1.5 on the goldens' inputs.
 */
export const SINCE_0_1_5: Readonly<Record<string, "base" | readonly number[]>> = {
  "model_stock/opposite": "base",
  "ties/density0": "base",
  "ties/k0_v": [
    0.01128886453807354, -0.0031234424095600843, -0.006689951755106449, -0.011600934900343418,
    -0.009656313806772232, -0.022425800561904907, -0.013895206153392792,
  ],
};
