import type { ScreenCard } from "../../stores/screen.ts";

/** Which recipe, and what will it do? */
export const screen: ScreenCard = {
  label: "Merge",
  help: "Recipe, weight map and plan",
  order: 20,
  icon: "M5 4c0 8 7 6 7 16M19 4c0 8-7 6-7 16",
  async load() {
    const { MergeScreen, MergeSubject } = await import("./MergeScreen.tsx");
    return { Screen: MergeScreen, Subject: MergeSubject };
  },
};
