import { defineMethod, type Resolved } from "../method.ts";

const scaleOf = ({ models: [own] }: Resolved) => Number(own?.scale ?? 1);

/** Passthrough: the one model's tensors, scaled where the recipe says so; layers are stacked by it. */
export default defineMethod({
  id: "passthrough",
  title: "Passthrough",
  summary: "Takes the tensors of one model as they are, or scaled.",
  paper: { label: "mergekit", url: "https://github.com/arcee-ai/mergekit" },
  base: "none",
  models: { min: 1, max: 1 },
  params: {
    scale: {
      kind: "number",
      scope: "model",
      label: "Scale",
      help: "Multiplies the tensors; without one they stay as they are.",
      min: 0,
      max: 2,
      step: 0.05,
      default: null,
    },
  },
  override: null,
  mergekit: true,
  symmetric: false,
  roundsSteps: true,
  apply: () => "scaled",
  decide: (unit) =>
    unit.map(({ resolved }) => ({ constants: [scaleOf(resolved)], shares: [scaleOf(resolved)] })),
  reference: (unit) =>
    unit.map(({ resolved, models: [own] }) => own!.map((value) => scaleOf(resolved) * value)),
});
