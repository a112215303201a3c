import type { ScreenCard } from "../../stores/screen.ts";

/** Card of the Library screen. */
export const screen: ScreenCard = {
  label: "Library",
  help: "The models you have",
  order: 10,
  icon: "M4 5h16v5H4zM4 14h16v5H4zM7 7.5h.01M7 16.5h.01",
  load: async () => ({ Screen: (await import("./LibraryScreen.tsx")).LibraryScreen }),
};
