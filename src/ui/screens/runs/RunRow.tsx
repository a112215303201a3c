import { Button } from "@mantine/core";
import { useState } from "react";
import type { JobCard } from "../../../engine/contract/index.ts";
import { Confirm } from "../../parts/Confirm.tsx";
import { Note } from "../../parts/Note.tsx";
import { Progress } from "../../parts/Progress.tsx";
import { control, exportModel, openPlayground, show } from "../../stores/actions.ts";
import { followFusion, openFusion } from "../../stores/fusionActions.ts";
import { compareModels, openPipeline } from "../../stores/pipelineResults.ts";
import { jobSeconds, progressFraction, progressNumbers } from "../../stores/progress.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatBytes, formatDuration, formatSpeed, formatWhen } from "../../theme/format.ts";
import { RunSpectra } from "./RunSpectra.tsx";

const TONES = {
  running: "ok",
  interrupted: "warn",
  done: "ok",
  failed: "bad",
  cancelled: "",
} as const;

/** Names of the job kinds. */
const KINDS: Readonly<Record<JobCard["kind"], string>> = {
  import: "import",
  samples: "samples",
  measure: "measure",
  mixture: "mixture",
  merge: "merge",
  dataset: "dataset",
  evaluate: "evaluate",
  fuse: "fusion",
  "merge-adapters": "merge of adapters",
  "import-fusion": "import of a fusion",
  "export-fusion": "export of a fusion",
  distill: "training",
  transplant: "transplant",
  extract: "extraction",
  fusechat: "FuseChat",
  export: "export",
};

interface RunRowProps {
  readonly studio: Studio;
  readonly job: JobCard;
}

/** A job in the list: kind, time, duration, result and commands. */
export function RunRow({ studio, job }: RunRowProps) {
  const [asking, setAsking] = useState(false);
  const { kind, title, state, progress, failure, result, recipe, resumable } = job;
  const running = state === "running";
  const made = ["merge", "mixture", "distill", "transplant", "extract"].includes(kind);
  const model = made && state === "done" ? result?.models[0] : undefined;
  const fusion = result?.fusion;
  const openRecipe = () => {
    if (!recipe) return;
    studio.recipe.compose(recipe);
    studio.recipe.follow(kind === "merge" ? job.id : null);
    show("merge");
  };
  const openTable = () => {
    studio.playground.draft({ shown: job.id });
    openPlayground(studio, "evaluate");
  };
  const order = (what: "cancel" | "resume" | "delete") => control(studio, job.id, what);
  return (
    <li className="run">
      <span className="run-state">
        <i className="dot" data-tone={TONES[state]} />
        {state}
      </span>
      <div className="run-main">
        <b className="ellipsis" title={title}>
          {title}
        </b>
        <span className="small muted num">{factsOf(job).join(" · ")}</span>
        {running && (
          <Progress
            label={title}
            words={progress.label}
            numbers={progressNumbers(progress)}
            fraction={progressFraction(progress)}
          />
        )}
        {failure && state !== "cancelled" && (
          <Note tone={state === "failed" ? "error" : "warning"} code={failure.code}>
            {failure.message}
          </Note>
        )}
        {state === "interrupted" && !resumable && !failure && (
          <Note tone="warning">Drop the same files again in the library to go on.</Note>
        )}
        {kind === "extract" && model && <RunSpectra studio={studio} model={model} />}
        {result?.notes.map((note) => (
          <Note key={note} tone="note">
            {note}
          </Note>
        ))}
      </div>
      <div className="run-verbs">
        {running && (
          <Button size="xs" onClick={() => order("cancel")}>
            Cancel
          </Button>
        )}
        {!running && resumable && (
          <Button size="xs" onClick={() => order("resume")}>
            Resume
          </Button>
        )}
        {recipe && (
          <Button size="xs" onClick={openRecipe}>
            Open recipe
          </Button>
        )}
        {model && (
          <Button size="xs" onClick={() => exportModel(studio, model)}>
            Export…
          </Button>
        )}
        {result?.evaluation && (
          <Button size="xs" onClick={openTable}>
            Open table
          </Button>
        )}
        {fusion && (
          <Button size="xs" onClick={() => openFusion(studio, fusion)}>
            Open fusion
          </Button>
        )}
        {kind === "distill" && model && (
          <Button size="xs" onClick={() => compareModels(studio, [model])}>
            Try it
          </Button>
        )}
        {kind === "fusechat" && (
          <Button size="xs" onClick={() => openPipeline(studio, job.id)}>
            Show
          </Button>
        )}
        {kind === "fuse" && !fusion && (
          <Button size="xs" onClick={() => followFusion(studio, job.id)}>
            Show
          </Button>
        )}
        {(kind === "export" || kind === "export-fusion") && (result?.downloads.length ?? 0) > 0 && (
          <Button size="xs" onClick={() => studio.desk.setState({ downloads: job.id })}>
            Files…
          </Button>
        )}
        {!running && (
          <Button size="xs" variant="subtle" color="red" onClick={() => setAsking(true)}>
            Delete
          </Button>
        )}
      </div>
      <Confirm
        opened={asking}
        title={`Delete “${title}” from the journal?`}
        verb="Delete"
        onConfirm={() => order("delete")}
        onClose={() => setAsking(false)}
      >
        {state === "done"
          ? "What it made stays in the library."
          : "It cannot be resumed any more, and what it wrote so far is freed."}
      </Confirm>
    </li>
  );
}

function factsOf(job: JobCard): readonly string[] {
  const { kind, createdAt, endedAt, progress } = job;
  const now = Date.now();
  const seconds = jobSeconds(job, now);
  const counted = job.state === "done" ? progress.totalBytes : progress.doneBytes;
  const bytes = progress.unit === "parts" ? 0 : counted; // a share has no bytes to tell
  return [
    KINDS[kind],
    formatWhen(createdAt, now),
    endedAt === null ? "" : formatDuration(seconds),
    bytes > 0 ? formatBytes(bytes) : "",
    endedAt !== null && bytes > 0 && seconds > 0 ? formatSpeed(bytes / seconds) : "",
  ].filter(Boolean);
}
