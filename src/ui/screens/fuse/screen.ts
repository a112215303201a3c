import type { ScreenCard } from "../../stores/screen.ts";

/** Card of the Fuse screen. */
export const screen: ScreenCard = {
  label: "Fuse",
  help: "What the pivot can learn from the others",
  order: 30,
  icon: "M4 7h6l4 10h6M4 17h6l1.5-4M14 7h6",
  async load() {
    const { FuseScreen, FuseSubject } = await import("./FuseScreen.tsx");
    return { Screen: FuseScreen, Subject: FuseSubject };
  },
};
