import { defineBreadcrumbs } from "./taskVectors/breadcrumbs.ts";

/** Model Breadcrumbs with TIES' sign election. */
export default defineBreadcrumbs({
  id: "breadcrumbs_ties",
  title: "Breadcrumbs TIES",
  summary:
    "Keeps each model's large changes without the outliers and adds those that agree in sign.",
  elect: true,
});
