import { defineDella } from "./taskVectors/della.ts";

/** DELLA: drops small changes more often than large ones, and elects signs as TIES does. */
export default defineDella({
  id: "della",
  title: "DELLA",
  summary: "Drops changes at random, small ones more often, and averages those that agree in sign.",
  elect: true,
  normalize: true,
});
