import { defineBreadcrumbs } from "./taskVectors/breadcrumbs.ts";

/** Model Breadcrumbs: drops the smallest and the very largest elements of each change. */
export default defineBreadcrumbs({
  id: "breadcrumbs",
  title: "Breadcrumbs",
  summary: "Keeps each model's large changes without the outliers, and adds them.",
  elect: false,
});
