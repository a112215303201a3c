import type { ScreenCard } from "../../stores/screen.ts";

/** Card of the Playground screen. */
export const screen: ScreenCard = {
  label: "Playground",
  help: "The same prompt to several models",
  order: 40,
  icon: "M4 5h16v11H10l-4 4v-4H4z",
  load: async () => ({ Screen: (await import("./PlaygroundScreen.tsx")).PlaygroundScreen }),
};
