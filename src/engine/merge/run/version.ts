/** Name and version written into results; the version is package.json's. */
export const STUDIO = { name: "FuseStudio", version: "0.1.0" } as const;
