import { control } from "./actions.ts";
import type { Command } from "./command.ts";
import { followedFusion, fuseBlocked, startFusion } from "./fusionActions.ts";
import type { Studio } from "./studio.ts";
import { tryFusion } from "./tryFusion.ts";

const runningSamples = (studio: Studio) =>
  studio.jobs
    .getState()
    .jobs?.some(
      ({ kind, state }) => (kind === "samples" || kind === "fuse") && state === "running",
    );

/** Commands on fusions. */
export const FUSION_COMMANDS = {
  tryFusion: {
    id: "try-fusion",
    label: "Try a fusion with the samples",
    help: "Load two small models and three texts, and fuse them",
    group: "Fuse",
    blocked: (studio) => (runningSamples(studio) ? "The samples are being worked on." : null),
    run: tryFusion,
  },
  startFusion: {
    id: "start-fusion",
    label: "Fuse",
    help: "Represent, align and fuse what is put together",
    group: "Fuse",
    blocked: fuseBlocked,
    run: startFusion,
  },
  cancelFusion: {
    id: "cancel-fusion",
    label: "Cancel the fusion",
    help: "Stop it; what is done stays done",
    group: "Fuse",
    blocked: (studio) =>
      followedFusion(studio)?.state === "running" ? null : "No fusion is running.",
    run: (studio) => {
      const job = followedFusion(studio);
      return job && control(studio, job.id, "cancel");
    },
  },
} as const satisfies Record<string, Command>;
