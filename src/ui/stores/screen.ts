import type { ComponentType } from "react";
import type { Studio } from "./studio.ts";

/** A React component that draws the studio's state. */
type StudioView = ComponentType<{ readonly studio: Studio }>;

/**
 * A screen, as the rail, the header, the palette and the address bar know it. Each lies in a folder of
 * `ui/screens` whose name is its address; its code is loaded when it is first shown.
 */
export interface ScreenCard {
  readonly label: string;
  /** A phrase for the palette. */
  readonly help: string;
  /** Its place in the rail: lower is higher up. */
  readonly order: number;
  /** An SVG path of 24 × 24 units, drawn as lines. */
  readonly icon: string;
  /** `Subject` stands in the header beside the title: what the screen is about now. */
  load(): Promise<{ readonly Screen: StudioView; readonly Subject?: StudioView }>;
}
