import type { ComponentType } from "react";
import type { Studio } from "./studio.ts";

/** A React component over the studio's state. */
type StudioView = ComponentType<{ readonly studio: Studio }>;

/**
 * Card of a screen for the rail, the header, the palette and the address bar. Each is in a folder
 * of `ui/screens`, whose name is its address; its code is loaded when it is first shown.
 */
export interface ScreenCard {
  readonly label: string;
  /** A phrase for the palette. */
  readonly help: string;
  /** Order in the rail, ascending from the top. */
  readonly order: number;
  /** An SVG path of 24 × 24 units, drawn as lines. */
  readonly icon: string;
  /** Loads the code. `Subject` is shown in the header beside the title. */
  load(): Promise<{ readonly Screen: StudioView; readonly Subject?: StudioView }>;
}
