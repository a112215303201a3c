import { defineDare } from "./taskVectors/dare.ts";

/**
 * DARE with TIES' sign election: drops elements of each change at random, and adds those that agree
 * with the elected sign.
 */
export default defineDare({
  id: "dare_ties",
  title: "DARE TIES",
  summary: "Drops most changes at random and adds those of the rest that agree in sign.",
  elect: true,
});
