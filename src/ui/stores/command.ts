import type { Studio } from "./studio.ts";

/** Something a person can ask for: a button, a line of the command palette, or both. */
export interface Command {
  readonly id: string;
  readonly label: string;
  readonly help: string;
  readonly group: "Library" | "Merge" | "Fuse" | "Playground";
  /** Null when it can be done, else the sentence that says why not. */
  blocked(studio: Studio): string | null;
  run(studio: Studio): unknown;
}
