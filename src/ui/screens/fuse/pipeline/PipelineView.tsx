import { Button } from "@mantine/core";
import { useEffect } from "react";
import { useStore } from "zustand";
import { Empty } from "../../../parts/Empty.tsx";
import { Note } from "../../../parts/Note.tsx";
import { COMMANDS } from "../../../stores/commands.ts";
import { followedPipeline, refreshPipeline } from "../../../stores/pipelineActions.ts";
import type { Studio } from "../../../stores/studio.ts";
import { Learning } from "./Learning.tsx";
import { Report } from "./Report.tsx";
import { StageList } from "./StageList.tsx";

/** Stages, training curves and report of a pipeline. */
export function PipelineView({ studio }: { readonly studio: Studio }) {
  const { run, shown, curves, failure } = useStore(studio.pipeline);
  useStore(studio.jobs);
  const job = followedPipeline(studio);
  const stage = job?.progress.label.split(":")[0];
  const state = job?.state;
  useEffect(() => {
    if (job?.id !== undefined && stage !== undefined && state) void refreshPipeline(studio);
  }, [studio, job?.id, stage, state]);
  if (!job) return <NoPipeline studio={studio} />;
  const there = run !== null && shown === job.id;
  return (
    <>
      {there && <StageList studio={studio} stages={run.stages} job={job} />}
      {job.failure && job.state !== "cancelled" && (
        <Note tone={job.state === "failed" ? "error" : "warning"} code={job.failure.code}>
          {job.failure.message}
        </Note>
      )}
      {failure && (
        <Note tone="error" title="The pipeline cannot be shown." code={failure.code} role="alert">
          {failure.message}
        </Note>
      )}
      {there && <Learning run={run} curves={curves} running={job.state === "running"} />}
      {there && run.report && <Report studio={studio} job={job.id} report={run.report} />}
      {!there && !failure && <div aria-busy="true" />}
    </>
  );
}

function NoPipeline({ studio }: { readonly studio: Studio }) {
  const blocked = COMMANDS.tryPipeline.blocked(studio);
  return (
    <Empty title="FuseChat, from end to end">
      <p>
        Every source teaches the pivot through a light fine-tuning, which gives one target each; the
        targets are merged in every way that the paper compares, and all of them are scored on text
        that nobody has learned from.
      </p>
      <Button
        variant="filled"
        disabled={blocked !== null}
        onClick={() => COMMANDS.tryPipeline.run(studio)}
      >
        {COMMANDS.tryPipeline.label}
      </Button>
      <p className="small muted" role="status">
        {blocked ??
          "Some minutes without a GPU. It can be paused, and goes on after a reload. What the form says of rows, training, merges and evaluation is kept."}
      </p>
    </Empty>
  );
}
