import type { FusionCard, JobCard } from "../../../engine/contract/index.ts";
import { formatCount, formatPercent } from "../../theme/format.ts";

/** Steps of a fusion in order; distilling, merging and evaluating follow. */
const STAGES = ["Represent", "Align", "Fuse"] as const;
type Stage = (typeof STAGES)[number];

export interface Step {
  readonly stage: Stage;
  readonly state: "done" | "now" | "todo";
  /** Result of the step, or its current work. */
  readonly words: string;
}

const WHAT: Readonly<Record<Stage, string>> = {
  Represent: "every model reads the text",
  Align: "source rows come to the pivot’s tokens",
  Fuse: "whoever foresees it best teaches",
};

/** Step of a job, from the beginning of its progress label. */
function stageOf(label: string): Stage {
  if (/^(Aligning|Mapping the vocabulary of) /.test(label)) return "Align";
  return /^Fusing document /.test(label) ? "Fuse" : "Represent";
}

/** Smallest coverage over the sources: the fraction of pivot rows with a row of their own. */
export function leastCoverage({ members, rows }: FusionCard): number {
  return Math.min(...members.slice(1).map(({ covered }) => (rows === 0 ? 0 : covered / rows)));
}

function wordsOf(card: FusionCard): Readonly<Record<Stage, string>> {
  const { documents, members, rows, settings } = card;
  const [pivot, ...sources] = members;
  const share = (wins: number) => formatPercent(rows === 0 ? 0 : wins / rows);
  const won = sources.reduce((sum, { wins }) => sum + wins, 0);
  const who = sources.length === 1 ? (sources[0]?.model ?? "") : "sources";
  const least = sources.length > 1 ? "at least " : "";
  return {
    Represent: `${formatCount(documents)} ${documents === 1 ? "text" : "texts"} · ${members.length} models`,
    Align: `${least}${formatPercent(leastCoverage(card))} of the pivot’s rows`,
    Fuse: `${settings.fusion === "mince" ? "MinCE" : "AvgCE"}: pivot ${share(pivot?.wins ?? 0)}, ${who} ${share(won)}`,
  };
}

/** States of a fusion's steps, from its job while it runs, else from its result. */
export function fusionSteps(
  job: JobCard | undefined,
  card: FusionCard | undefined,
): readonly Step[] {
  const open = job && (job.state === "running" || job.state === "interrupted");
  if (open) {
    const now = STAGES.indexOf(stageOf(job.progress.label));
    const doing = job.state === "running" ? job.progress.label || "starting" : "stopped here";
    return STAGES.map((stage, at) => ({
      stage,
      state: at < now ? "done" : at === now ? "now" : "todo",
      words: at === now ? doing : WHAT[stage],
    }));
  }
  const words = card ? wordsOf(card) : WHAT;
  return STAGES.map((stage) => ({ stage, state: card ? "done" : "todo", words: words[stage] }));
}
