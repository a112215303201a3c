import { defineDare } from "./taskVectors/dare.ts";

/**
 * DARE with a plain sum: drops elements of each change at random, rescales the rest and adds the
 * changes to the base.
 */
export default defineDare({
  id: "dare_linear",
  title: "DARE",
  summary: "Drops most changes at random, scales up the rest, and adds them.",
  elect: false,
});
