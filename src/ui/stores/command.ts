import type { Studio } from "./studio.ts";

/** A user command: a button, an entry of the command palette, or both. */
export interface Command {
  readonly id: string;
  readonly label: string;
  readonly help: string;
  readonly group: "Library" | "Merge" | "Fuse" | "Playground";
  /** Reason why it cannot be run now, or null. */
  blocked(studio: Studio): string | null;
  run(studio: Studio): unknown;
}
