import { Button } from "@mantine/core";
import { useStore } from "zustand";
import { Empty } from "../../parts/Empty.tsx";
import { COMMANDS } from "../../stores/commands.ts";
import type { Studio } from "../../stores/studio.ts";
import { RunRow } from "./RunRow.tsx";
import "./runs.css";

/** Runs screen: the journal of jobs, newest first. */
export function RunsScreen({ studio }: { readonly studio: Studio }) {
  const jobs = useStore(studio.jobs, (state) => state.jobs);
  if (jobs === null) return <div className="runs" aria-busy="true" />;
  if (jobs.length === 0) {
    return (
      <div className="runs">
        <Empty title="No runs yet">
          <p>
            Imports, merges, fusions, evaluations and exports are listed here, with their recipes.
          </p>
          <Button variant="filled" onClick={() => COMMANDS.trySamples.run(studio)}>
            {COMMANDS.trySamples.label}
          </Button>
        </Empty>
      </div>
    );
  }
  return (
    <div className="runs">
      <ul className="runs-list panel" aria-label="Runs">
        {jobs.map((job) => (
          <RunRow key={job.id} studio={studio} job={job} />
        ))}
      </ul>
    </div>
  );
}
