import { Button, Select, TextInput } from "@mantine/core";
import { useStore } from "zustand";
import type { JobCard } from "../../../engine/contract/index.ts";
import { Progress } from "../../parts/Progress.tsx";
import { control, resultName } from "../../stores/actions.ts";
import { COMMANDS, followedMerge, mergeBlocked } from "../../stores/commands.ts";
import { jobSeconds, progressFraction, progressNumbers } from "../../stores/progress.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatBytes, formatDuration } from "../../theme/format.ts";

const SHARDS = [1e9, 2e9, 5e9].map((bytes) => ({
  value: String(bytes),
  label: `${formatBytes(bytes).replace(".0", "")} shards`,
}));

/** What one does with a merged model. */
const NEXT = [COMMANDS.compareResult, COMMANDS.evaluateResult, COMMANDS.exportResult];

/** Run, watch, cancel, take home. */
export function MergeBar({ studio }: { readonly studio: Studio }) {
  // All three decide together what is possible; the table of actions asks them itself.
  useStore(studio.recipe);
  useStore(studio.forecast);
  useStore(studio.jobs);
  useStore(studio.library);
  const { name, shardBytes } = studio.recipe.getState();
  const job = followedMerge(studio);
  const running = job?.state === "running";
  const blocked = mergeBlocked(studio);
  return (
    <div className="mergebar">
      <Button
        variant="filled"
        size="md"
        disabled={blocked !== null || name?.trim() === ""}
        title={blocked ?? COMMANDS.startMerge.help}
        onClick={() => COMMANDS.startMerge.run(studio)}
      >
        {COMMANDS.startMerge.label}
      </Button>
      {!running && (
        <>
          <TextInput
            aria-label="Name of the result"
            className="mergebar-name"
            value={name ?? resultName(studio)}
            error={name?.trim() === ""}
            onChange={({ currentTarget }) => studio.recipe.nameResult(currentTarget.value)}
          />
          <Select
            aria-label="Largest shard"
            className="mergebar-shard"
            data={SHARDS}
            value={String(shardBytes)}
            allowDeselect={false}
            onChange={(bytes) => bytes && studio.recipe.chooseShard(Number(bytes))}
          />
        </>
      )}
      <div className="mergebar-state grow" data-idle={!job || undefined}>
        {job && (running || blocked === null || job.state !== "done") ? (
          <JobState job={job} />
        ) : (
          <p className="small muted why" role="status">
            {blocked}
          </p>
        )}
      </div>
      {running && (
        <Button onClick={() => COMMANDS.cancelMerge.run(studio)}>
          {COMMANDS.cancelMerge.label}
        </Button>
      )}
      {job?.resumable && !running && (
        <Button onClick={() => control(studio, job.id, "resume")}>Resume</Button>
      )}
      {job?.state === "done" && (
        <div className="row mergebar-next">
          {NEXT.map(({ id, label, help, run }) => (
            <Button key={id} title={help} onClick={() => run(studio)}>
              {label}
            </Button>
          ))}
        </div>
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
  const seconds = formatDuration(jobSeconds(job, Date.now()));
  if (state === "done") {
    return (
      <p className="small" role="status">
        <b>{title}: done.</b>{" "}
        <span className="muted num">
          {formatBytes(progress.totalBytes)} in {seconds}; it is in the library.
        </span>
      </p>
    );
  }
  return (
    <p className="small why" role="alert">
      <b>
        {title}: {state}.
      </b>{" "}
      {failure?.message} {failure && <span className="mono faint">{failure.code}</span>}
    </p>
  );
}
