/** What the library, the shelf of datasets, fused datasets and the journal call their entries. */
export type ModelId = string;
export type DatasetId = string;
export type FusionId = string;
export type JobId = string;
