import { Button } from "@mantine/core";
import { useEffect } from "react";
import { useStore } from "zustand";
import type {
  PipelineReport,
  PipelineRun,
  TrainingRun,
} from "../../../../engine/contract/index.ts";
import { Empty } from "../../../parts/Empty.tsx";
import { Section } from "../../../parts/Section.tsx";
import { saveBlob } from "../../../parts/saveBlob.ts";
import { type Curve, Curves } from "../../../plots/Curves.tsx";
import { ACTIONS } from "../../../stores/actions.ts";
import { followedPipeline, refreshPipeline, reportFile } from "../../../stores/pipelining.ts";
import type { Studio } from "../../../stores/studio.ts";
import { BASE_COLOUR, modelColour } from "../../../theme/colours.ts";
import { formatBytes, formatCount, formatRate } from "../../../theme/format.ts";
import { ReportDomains, ReportTable } from "./ReportTable.tsx";
import { StageList } from "./StageList.tsx";

const DASHES = ["", "7 4", "2 3", "9 3 2 3"] as const;

/** Where the pipeline is, what is being learned, and the report at its end. */
export function PipelineView({ studio }: { readonly studio: Studio }) {
  const { run, shown, curves } = useStore(studio.pipeline);
  useStore(studio.jobs);
  const job = followedPipeline(studio);
  const stage = job?.progress.label.split(":")[0];
  const state = job?.state;
  useEffect(() => {
    if (job?.id !== undefined && stage !== undefined && state) void refreshPipeline(studio);
  }, [studio, job?.id, stage, state]);
  if (!job) return <NoPipeline studio={studio} />;
  if (!run || shown !== job.id) return <div aria-busy="true" />;
  return (
    <>
      <StageList stages={run.stages} />
      <Learning run={run} curves={curves} />
      {run.report && <Report studio={studio} job={job.id} report={run.report} />}
    </>
  );
}

function NoPipeline({ studio }: { readonly studio: Studio }) {
  const blocked = ACTIONS.tryPipeline.blocked(studio);
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
        onClick={() => ACTIONS.tryPipeline.run(studio)}
      >
        {ACTIONS.tryPipeline.label}
      </Button>
      <p className="small muted" role="status">
        {blocked ?? "Some minutes without a GPU. It can be paused, and goes on after a reload."}
      </p>
    </Empty>
  );
}

function Learning({
  run,
  curves,
}: {
  readonly run: PipelineRun;
  readonly curves: Readonly<Record<string, TrainingRun>>;
}) {
  const trainings = run.stages.filter(
    ({ step, training }) => step === "distil" && training !== null,
  );
  if (trainings.length === 0) return null;
  const known = trainings.map((stage, at) => ({
    stage,
    at,
    curve: stage.training === null ? undefined : curves[stage.training],
  }));
  const lines = (pick: (point: TrainingRun["points"][number]) => number | null): Curve[] =>
    known.map(({ stage, at, curve }) => ({
      name: stage.title,
      colour: stage.key === "plain" ? BASE_COLOUR : modelColour(at),
      dash: DASHES[at % DASHES.length] as string,
      points: (curve?.points ?? []).flatMap((point) => {
        const value = pick(point);
        return value === null ? [] : [{ step: point.step, value }];
      }),
    }));
  const speed = known.flatMap(({ curve }) => curve?.tokensPerSecond ?? []).at(-1) ?? null;
  return (
    <div className="chat-curves">
      <Section
        title="Loss"
        aside={<span className="small faint num">{formatRate(speed)} tokens a second</span>}
      >
        <Curves
          label="Loss by step"
          unit="nats a token, by step"
          curves={lines(({ loss }) => loss)}
        />
      </Section>
      <Section title="Fusion">
        <Curves
          label="Fusion loss by step"
          unit="nats a fused row, by step"
          curves={lines(({ fusion }) => fusion)}
        />
      </Section>
    </div>
  );
}

interface ReportProps {
  readonly studio: Studio;
  readonly job: string;
  readonly report: PipelineReport;
}

function Report({ studio, job, report }: ReportProps) {
  const save = async (format: "json" | "md") => {
    const file = await reportFile(studio, job, report, format);
    if (file) saveBlob(file.name, file.blob);
  };
  const { rows, bytes } = report.evaluated;
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
        <p className="small muted">
          {formatCount(rows)} rows, {formatBytes(bytes)}, that no training read. Lower is better.
          Intervals hold 95 %, by bootstrap over rows; differences are paired.
        </p>
        <ReportTable models={report.models} />
      </Section>
      <Section title="By domain">
        <ReportDomains models={report.models} />
      </Section>
      <Section title="Held out while training">
        <ul className="chat-heldout num">
          {report.curves.map(({ model, heldOutBefore, points }) => (
            <li key={model}>
              <span className="ellipsis" title={model}>
                {model}
              </span>
              <span>
                {heldOutBefore?.toFixed(3) ?? "–"} →{" "}
                {points.findLast(({ heldOut }) => heldOut !== null)?.heldOut?.toFixed(3) ?? "–"}{" "}
                <span className="faint">bits per byte</span>
              </span>
            </li>
          ))}
        </ul>
      </Section>
      <Section title="Recipes">
        {report.models
          .filter(({ role, about }) => role === "merge" && about !== null)
          .map(({ name, about }) => (
            <details key={name} className="fold">
              <summary>
                <span className="small mono ellipsis">{name}</span>
              </summary>
              <pre className="chat-recipe">{about}</pre>
            </details>
          ))}
      </Section>
    </>
  );
}
