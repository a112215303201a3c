/** What results are signed with; the version is package.json's. */
export const STUDIO = { name: "FuseStudio", version: "0.1.0" } as const;
