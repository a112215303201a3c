import { Button } from "@mantine/core";
import { FEWEST_ROWS, type PipelineReport } from "../../../../engine/contract/index.ts";
import { Note } from "../../../parts/Note.tsx";
import { Section } from "../../../parts/Section.tsx";
import { saveBlob } from "../../../parts/saveBlob.ts";
import { openMerge, reportFile } from "../../../stores/pipelineResults.ts";
import type { Studio } from "../../../stores/studio.ts";
import { formatBytes, formatCount } from "../../../theme/format.ts";
import { ReportDomains } from "./ReportDomains.tsx";
import { ReportMaps } from "./ReportMaps.tsx";
import { ReportTable } from "./ReportTable.tsx";

interface ReportProps {
  readonly studio: Studio;
  readonly job: string;
  readonly report: PipelineReport;
}

/** Report of a pipeline: bits per byte of every model, weight maps and recipes. */
export function Report({ studio, job, report }: ReportProps) {
  const { models, evaluated, maps, notes } = report;
  const save = async (format: "json" | "md") => {
    const file = await reportFile(studio, job, report, format);
    if (file) saveBlob(file.name, file.blob);
  };
  const domains = models[0]?.cell.domains ?? [];
  return (
    <>
      <Section
        title="Report"
        aside={
          <span className="chat-save">
            <Button size="compact-xs" onClick={() => void save("md")}>
              Save as Markdown
            </Button>
            <Button size="compact-xs" onClick={() => void save("json")}>
              Save as JSON
            </Button>
          </span>
        }
      >
        <p className="small muted chat-lead">
          Bits per byte on {formatCount(evaluated.rows)} {evaluated.rows === 1 ? "row" : "rows"} (
          {formatBytes(evaluated.bytes)}) that no training read; lower is better. Intervals hold 95
          %, by Student’s t over n rows; differences are paired.
          {evaluated.rows < FEWEST_ROWS &&
            ` From fewer than ${FEWEST_ROWS} rows none is told: how much rows differ cannot be told from so few. Evaluate on more tokens.`}
        </p>
        <ReportTable studio={studio} models={models} prefix={`${report.name}-`} />
      </Section>
      {domains.length > 0 && (
        <Section title="By domain">
          <ReportDomains models={models} domains={domains} prefix={`${report.name}-`} />
        </Section>
      )}
      {maps.length > 0 && <ReportMaps studio={studio} report={report} />}
      <Recipes studio={studio} models={models} />
      {notes.length > 0 && (
        <Section title="Notes">
          {notes.map((note) => (
            <Note key={note} tone="note">
              {note}
            </Note>
          ))}
        </Section>
      )}
    </>
  );
}

function Recipes({ studio, models }: { readonly studio: Studio } & Pick<PipelineReport, "models">) {
  const merges = models.flatMap(({ name, role, about }) =>
    role === "merge" && about !== null ? [{ name, about }] : [],
  );
  if (merges.length === 0) return null;
  return (
    <Section title="Recipes">
      <div className="chat-recipes">
        {merges.map(({ name, about }) => (
          <details key={name} className="fold">
            <summary>
              <span className="small mono ellipsis">{name}</span>
            </summary>
            <pre className="chat-recipe">{about}</pre>
            <Button size="compact-xs" onClick={() => void openMerge(studio, about)}>
              Open in Merge
            </Button>
          </details>
        ))}
      </div>
    </Section>
  );
}
