import { defineDella } from "./taskVectors/della.ts";

/** DELLA with a plain sum. */
export default defineDella({
  id: "della_linear",
  title: "DELLA linear",
  summary: "Drops changes at random, small ones more often, and adds the rest.",
  elect: false,
  normalize: false,
});
