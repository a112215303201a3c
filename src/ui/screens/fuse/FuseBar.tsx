import { Button, TextInput } from "@mantine/core";
import { useStore } from "zustand";
import type { JobCard } from "../../../engine/contract/index.ts";
import { Progress } from "../../parts/Progress.tsx";
import { COMMANDS } from "../../stores/commands.ts";
import {
  followedFusion,
  fuseBlocked,
  fusionName,
  resumeFusion,
} from "../../stores/fusionActions.ts";
import { jobSeconds, progressFraction, progressNumbers } from "../../stores/progress.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatDuration } from "../../theme/format.ts";

/** Buttons to start, follow, cancel and resume a fusion. */
export function FuseBar({ studio }: { readonly studio: Studio }) {
  // These stores decide which commands are available; the commands read them themselves.
  useStore(studio.fusion);
  useStore(studio.library);
  useStore(studio.jobs);
  useStore(studio.playground);
  useStore(studio.environment);
  const { name } = studio.fusion.getState().draft;
  const job = followedFusion(studio);
  const running = job?.state === "running";
  const blocked = fuseBlocked(studio);
  const nameless = name?.trim() === "";
  return (
    <div className="fusebar">
      <Button
        variant="filled"
        size="md"
        disabled={blocked !== null || nameless}
        title={blocked ?? COMMANDS.startFusion.help}
        onClick={() => COMMANDS.startFusion.run(studio)}
      >
        {COMMANDS.startFusion.label}
      </Button>
      {!running && (
        <TextInput
          aria-label="Name of the fused dataset"
          className="fusebar-name"
          value={name ?? fusionName(studio)}
          error={nameless}
          onChange={({ currentTarget }) => studio.fusion.draft({ name: currentTarget.value })}
        />
      )}
      <div className="fusebar-state grow">
        {job ? (
          <JobState job={job} />
        ) : (
          <p className="small muted why" role="status">
            {blocked}
          </p>
        )}
      </div>
      {running && <Button onClick={() => COMMANDS.cancelFusion.run(studio)}>Cancel</Button>}
      {job?.resumable && !running && (
        <Button onClick={() => resumeFusion(studio, job.id)}>Resume</Button>
      )}
    </div>
  );
}

function JobState({ job }: { readonly job: JobCard }) {
  const { title, state, progress, failure } = job;
  if (state === "running") {
    return (
      <Progress
        label={title}
        words={progress.label || title}
        numbers={progressNumbers(progress)}
        fraction={progressFraction(progress)}
      />
    );
  }
  return (
    <p className="small why" role={state === "done" ? "status" : "alert"}>
      <b>
        {title}: {state}.
      </b>{" "}
      {state === "done" ? (
        <span className="muted num">It took {formatDuration(jobSeconds(job, Date.now()))}.</span>
      ) : (
        <>
          {failure?.message} {failure && <span className="mono faint">{failure.code}</span>}
        </>
      )}
    </p>
  );
}
