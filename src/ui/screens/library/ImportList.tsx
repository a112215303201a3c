import { Button } from "@mantine/core";
import { useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";
import type { JobCard } from "../../../engine/contract/index.ts";
import { Note } from "../../parts/Note.tsx";
import { Progress } from "../../parts/Progress.tsx";
import { control } from "../../stores/actions.ts";
import { progressNumbers } from "../../stores/progress.ts";
import type { Studio } from "../../stores/studio.ts";

const PAGE_OPENED = Date.now();
const SHOWN = ["import", "samples", "dataset", "import-fusion", "merge-adapters"] as const;

/** Running imports, and finished ones of this visit with notes. */
export function ImportList({ studio }: { readonly studio: Studio }) {
  const jobs = useStore(
    studio.jobs,
    useShallow((state) => (state.jobs ?? []).filter(isShown)),
  );
  if (jobs.length === 0) return null;
  return (
    <ul className="imports" aria-label="Imports">
      {jobs.map((job) => (
        <li key={job.id} className="import" data-running={job.state === "running" || undefined}>
          {job.state === "running" ? (
            <RunningImport studio={studio} job={job} />
          ) : (
            <EndedImport studio={studio} job={job} />
          )}
        </li>
      ))}
    </ul>
  );
}

function isShown({ kind, state, createdAt, result }: JobCard): boolean {
  if (!SHOWN.some((shown) => shown === kind)) return false;
  if (state === "running") return true;
  const told = state === "failed" || state === "interrupted" || (result?.notes.length ?? 0) > 0;
  return told && createdAt >= PAGE_OPENED;
}

interface ImportProps {
  readonly studio: Studio;
  readonly job: JobCard;
}

function RunningImport({ studio, job }: ImportProps) {
  const { doneBytes, totalBytes, label } = job.progress;
  return (
    <>
      <div className="grow">
        <Progress
          label={job.title}
          words={label || job.title}
          numbers={progressNumbers(job.progress)}
          fraction={totalBytes > 0 ? doneBytes / totalBytes : null}
        />
      </div>
      <Button onClick={() => control(studio, job.id, "cancel")}>Cancel</Button>
    </>
  );
}

function EndedImport({ studio, job }: ImportProps) {
  const { failure, result } = job;
  return (
    <>
      <div className="grow">
        {failure && (
          <Note tone="error" title={`${job.title} failed.`} code={failure.code} role="alert">
            {failure.message}
          </Note>
        )}
        {result?.notes.map((note) => (
          <Note key={note} tone="note">
            {note}
          </Note>
        ))}
      </div>
      <Button variant="subtle" onClick={() => control(studio, job.id, "delete")}>
        Dismiss
      </Button>
    </>
  );
}
