import { defineDare } from "./taskVectors/dare.ts";

/** DARE with the votes of TIES: of what was not dropped, only what agrees in sign is added. */
export default defineDare({
  id: "dare_ties",
  title: "DARE TIES",
  summary: "Drops most changes at random and adds those of the rest that agree in sign.",
  elect: true,
});
