import { Button, Select } from "@mantine/core";
import { useStore } from "zustand";
import { FEWEST_ROWS, type JobCard } from "../../../engine/contract/index.ts";
import { Empty } from "../../parts/Empty.tsx";
import { Note } from "../../parts/Note.tsx";
import { Progress } from "../../parts/Progress.tsx";
import { saveBlob } from "../../parts/saveBlob.ts";
import { control } from "../../stores/actions.ts";
import { shownEvaluation } from "../../stores/datasets.ts";
import { progressFraction, progressNumbers } from "../../stores/progress.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatWhen } from "../../theme/format.ts";
import { DomainTable } from "./DomainTable.tsx";
import { EvaluationTable } from "./EvaluationTable.tsx";
import { cellsWithDomains, toCsv } from "./evaluationTable.ts";

/** The running or selected evaluation, and a choice of earlier ones. */
export function EvaluationView({ studio }: { readonly studio: Studio }) {
  const jobs = useStore(studio.jobs, (state) => state.jobs) ?? [];
  const shown = useStore(studio.playground, (state) => state.draft.shown);
  const job = shownEvaluation(jobs, shown);
  const done = jobs.filter(({ result }) => result?.evaluation !== undefined);
  if (!job) {
    return (
      <div className="play-middle">
        <Empty title="No evaluation yet">
          <p>
            Bits per byte tell how well a model foresees a text: fewer are better, and they compare
            models with different tokenizers. Choose models and datasets, and start.
          </p>
        </Empty>
      </div>
    );
  }
  const now = Date.now();
  return (
    <div className="play-middle">
      <div className="scores-head">
        <h2 className="ellipsis" title={job.title}>
          {job.title}
        </h2>
        <span className="grow" />
        {done.length > 1 && (
          <Select
            aria-label="Evaluation shown"
            size="xs"
            w={190}
            data={done.map(({ id, createdAt }) => ({
              value: id,
              label: formatWhen(createdAt, now),
            }))}
            value={job.result ? job.id : null}
            placeholder="Earlier ones"
            allowDeselect={false}
            onChange={(id) => studio.playground.draft({ shown: id })}
          />
        )}
        <Verbs studio={studio} job={job} />
      </div>
      <Outcome job={job} />
    </div>
  );
}

interface VerbsProps {
  readonly studio: Studio;
  readonly job: JobCard;
}

function Verbs({ studio, job }: VerbsProps) {
  const cells = job.result?.evaluation;
  const save = () => {
    if (cells) saveBlob("evaluation.csv", new Blob([toCsv(cells)], { type: "text/csv" }));
  };
  return (
    <>
      {cells && (
        <Button size="xs" onClick={save}>
          Download CSV
        </Button>
      )}
      {job.state === "running" && (
        <Button size="xs" onClick={() => control(studio, job.id, "cancel")}>
          Cancel
        </Button>
      )}
    </>
  );
}

function Outcome({ job }: { readonly job: JobCard }) {
  const { title, state, progress, failure, result } = job;
  return (
    <>
      {state === "running" && (
        <Progress
          label={title}
          words={progress.label || title}
          numbers={progressNumbers(progress)}
          fraction={progressFraction(progress)}
        />
      )}
      {state !== "running" && state !== "done" && (
        <Note
          tone={state === "failed" ? "error" : "note"}
          title={`${title}: ${state}.`}
          role="alert"
        >
          {failure?.message}
        </Note>
      )}
      {result?.evaluation && (
        <>
          <EvaluationTable cells={result.evaluation} />
          {cellsWithDomains(result.evaluation).map((cells) => (
            <DomainTable key={cells[0]?.dataset} cells={cells} />
          ))}
          <p className="small muted">
            Bits per byte, fewer are better. ± and brackets hold 95 %, by Student’s t over n rows;
            the second line of a cell is the difference on the same rows, bold where its interval
            leaves out zero. From fewer than {FEWEST_ROWS} rows none is told: how much rows differ
            cannot be told from so few.
          </p>
        </>
      )}
      <div>
        {result?.notes.map((note) => (
          <Note key={note} tone="note">
            {note}
          </Note>
        ))}
      </div>
    </>
  );
}
