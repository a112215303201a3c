import { Button, TextInput } from "@mantine/core";
import { useStore } from "zustand";
import type { JobCard } from "../../../../engine/contract/index.ts";
import { Progress } from "../../../parts/Progress.tsx";
import { COMMANDS } from "../../../stores/commands.ts";
import {
  followedPipeline,
  pipelineBlocked,
  pipelineName,
  resumePipeline,
  waitsForTurn,
} from "../../../stores/pipelineActions.ts";
import { jobSeconds, progressFraction, progressNumbers } from "../../../stores/progress.ts";
import type { Studio } from "../../../stores/studio.ts";
import { formatDuration } from "../../../theme/format.ts";

const stateWords = ({ state, resumable }: JobCard) =>
  state === "cancelled" && resumable ? "paused" : state;

/** Duration of a pipeline or how to resume it, and what prevents another one. */
function whatNow(job: JobCard, blocked: string | null): string {
  const done = job.state === "done";
  const resumable = job.resumable ? "What is done stays done: it goes on where it stopped." : "";
  return [
    done ? `It took ${formatDuration(jobSeconds(job, Date.now()))}.` : resumable,
    blocked === null ? "" : `Before another one: ${blocked}`,
  ].join(" ");
}

/** Buttons to start, follow, pause and resume a pipeline. */
export function PipelineBar({ studio }: { readonly studio: Studio }) {
  // These stores decide which commands are available; the commands read them themselves.
  useStore(studio.pipeline);
  useStore(studio.fusion);
  useStore(studio.library);
  useStore(studio.jobs);
  useStore(studio.playground);
  useStore(studio.environment);
  const { name } = studio.pipeline.getState().draft;
  const job = followedPipeline(studio);
  const running = job?.state === "running";
  const waits = job !== undefined && waitsForTurn(studio, job);
  const blocked = pipelineBlocked(studio);
  const stopped = job && job.state !== "running" && job.state !== "done";
  return (
    <div className="fusebar">
      <Button
        variant={running || (stopped && job.resumable) ? "default" : "filled"}
        size="md"
        disabled={blocked !== null}
        title={blocked ?? COMMANDS.startPipeline.help}
        onClick={() => COMMANDS.startPipeline.run(studio)}
      >
        {COMMANDS.startPipeline.label}
      </Button>
      <TextInput
        className="fusebar-name"
        aria-label="Name of the results"
        value={name ?? pipelineName(studio)}
        error={name?.trim() === ""}
        onChange={({ currentTarget }) => studio.pipeline.draft({ name: currentTarget.value })}
      />
      <div className="fusebar-state grow">
        {running && job && (
          <Progress
            label={job.title}
            words={job.progress.label || (waits ? `${job.title} waits for its turn` : job.title)}
            numbers={waits ? "" : progressNumbers(job.progress)}
            fraction={progressFraction(job.progress)}
          />
        )}
        {job && !running && (
          <p className="small why" role={job.state === "failed" ? "alert" : "status"}>
            <b>
              {job.title}: {stateWords(job)}.
            </b>{" "}
            <span className="muted num">{whatNow(job, blocked)}</span>
          </p>
        )}
        {!job && blocked && (
          <p className="small muted why" role="status">
            {blocked}
          </p>
        )}
      </div>
      {running && (
        <Button onClick={() => COMMANDS.cancelPipeline.run(studio)}>
          {COMMANDS.cancelPipeline.label}
        </Button>
      )}
      {stopped && job.resumable && (
        <Button variant="filled" onClick={() => void resumePipeline(studio, job.id)}>
          Resume
        </Button>
      )}
    </div>
  );
}
