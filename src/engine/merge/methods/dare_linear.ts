import { defineDare } from "./taskVectors/dare.ts";

/** DARE with a sum: drops changes at random, scales up the rest, and adds them to the base. */
export default defineDare({
  id: "dare_linear",
  title: "DARE",
  summary: "Drops most changes at random, scales up the rest, and adds them.",
  elect: false,
});
