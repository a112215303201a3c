import type { ScreenCard } from "../../stores/screen.ts";

/** Card of the Runs screen. */
export const screen: ScreenCard = {
  label: "Runs",
  help: "Everything you did",
  order: 50,
  icon: "M12 4a8 8 0 1 1-7.5 5.2M4 4v5h5M12 8v5l3 2",
  load: async () => ({ Screen: (await import("./RunsScreen.tsx")).RunsScreen }),
};
