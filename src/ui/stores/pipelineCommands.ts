import { control } from "./actions.ts";
import type { Command } from "./command.ts";
import { followedPipeline, pipelineBlocked, startPipeline } from "./pipelineActions.ts";
import { tryPipeline } from "./tryFusion.ts";

/** Commands on FuseChat pipelines. */
export const PIPELINE_COMMANDS = {
  tryPipeline: {
    id: "try-fusechat",
    label: "Try FuseChat with the samples",
    help: "Load three small models and three texts; fuse, distill, merge and compare them",
    group: "Fuse",
    blocked: (studio) => {
      const busy = studio.jobs
        .getState()
        .jobs?.some(
          ({ kind, state }) =>
            ["samples", "fuse", "fusechat"].includes(kind) && state === "running",
        );
      return busy ? "The samples are being worked on." : null;
    },
    run: tryPipeline,
  },
  startPipeline: {
    id: "start-fusechat",
    label: "Run FuseChat",
    help: "Fuse, distill, merge and evaluate what is put together",
    group: "Fuse",
    blocked: pipelineBlocked,
    run: startPipeline,
  },
  cancelPipeline: {
    id: "cancel-fusechat",
    label: "Pause FuseChat",
    help: "Stop it; what is done stays done",
    group: "Fuse",
    blocked: (studio) =>
      followedPipeline(studio)?.state === "running" ? null : "No pipeline is running.",
    run: (studio) => {
      const job = followedPipeline(studio);
      return job && control(studio, job.id, "cancel");
    },
  },
} as const satisfies Record<string, Command>;
