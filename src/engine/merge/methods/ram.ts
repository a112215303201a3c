import { defineRam } from "./ram/ram.ts";

/** RAM: takes what one model changed alone, and the mean of what several changed. */
export default defineRam({
  id: "ram",
  title: "RAM",
  summary: "Takes each model's own changes whole, and averages those that several made.",
  params: {},
  factor: null,
});
