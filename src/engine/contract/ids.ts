/** Ids of models, datasets, fused datasets and jobs. */
export type ModelId = string;
export type DatasetId = string;
export type FusionId = string;
export type JobId = string;
