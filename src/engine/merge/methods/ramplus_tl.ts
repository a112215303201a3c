import { defineRam } from "./ram/ram.ts";

/** RAM+, tensor by tensor: RAM that makes up for what averaging takes of a model's changes. */
export default defineRam({
  id: "ramplus_tl",
  title: "RAM+",
  summary: "As RAM, and scales up the own changes of models whose other changes are averaged.",
  params: {
    r: {
      kind: "number",
      scope: "global",
      label: "r",
      help: "How much of the ratio of shared to own changes is added to their scale.",
      min: 0,
      max: 1,
      step: 0.05,
      default: 0.1,
    },
    alpha: {
      kind: "number",
      scope: "global",
      label: "Alpha",
      help: "Where that ratio is cut off.",
      min: 0,
      max: 1,
      step: 0.05,
      default: 0.2,
    },
  },
  factor({ global }, { alone, shared }) {
    const ratio = shared / Math.max(alone, Number(global.epsilon));
    return 1 + Number(global.r) * Math.min(Number(global.alpha), Math.max(0, ratio));
  },
});
