import {
  FEWEST_ROWS,
  nameDomain,
  type PipelineReport,
  type ReportedModel,
} from "../contract/index.ts";
import { STUDIO } from "../merge/run/version.ts";

export const TOOL = `${STUDIO.name} ${STUDIO.version}`;

const cellOf = (value: number | null, digits = 4) => (value === null ? "–" : value.toFixed(digits));

/** An interval, with the number of rows behind it. */
function intervalOf({ interval, rows }: ReportedModel["cell"]): string {
  return interval ? `${interval.map((end) => end.toFixed(4)).join(" – ")} (n = ${rows})` : "–";
}

/** A difference with its interval, and whether that excludes 0. */
function differenceOf(difference: ReportedModel["toPlain"]): string {
  if (!difference) return "–";
  const { mean, rows, interval } = difference;
  const said = `${mean > 0 ? "+" : ""}${mean.toFixed(4)}`;
  const of = rows === undefined ? "" : ` (n = ${rows})`;
  if (!interval) return `${said}${of}`;
  const [low, high] = interval;
  const clear = low > 0 || high < 0 ? " *" : "";
  return `${said} [${low.toFixed(4)}, ${high.toFixed(4)}]${of}${clear}`;
}

const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
/** Names, escaped so that they cannot break the table. */
const plain = (text: string) =>
  text.replace(/[\\|`*_<>[\]\n\r]/g, (mark) => (mark < " " ? " " : `\\${mark}`));

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");
}

/** Report as Markdown; the JSON beside it has every number. */
export function formatReport(report: PipelineReport): string {
  const { models, fusions, curves, evaluated, settings, notes } = report;
  const domains = models[0]?.cell.domains ?? [];
  const main = models.map(({ name, role, cell, toPlain }) => [
    plain(name),
    role,
    cellOf(cell.bitsPerByte),
    intervalOf(cell),
    differenceOf(cell.difference),
    differenceOf(toPlain),
  ]);
  const byDomain = models.map(({ name, cell }) => [
    plain(name),
    ...domains.map((_, i) => cellOf(cell.domains?.[i]?.bitsPerByte ?? null)),
  ]);
  const taught = fusions.flatMap(({ name, members, rows: count }) =>
    members.map((member) => [
      plain(name),
      plain(member.model),
      cellOf(member.bitsPerByte),
      `${member.covered} of ${count}`,
      String(member.wins),
    ]),
  );
  const learned = curves.map(({ model, heldOutBefore, points }) => [
    plain(model),
    String(points.at(-1)?.step ?? 0),
    cellOf(points[0]?.loss ?? null),
    cellOf(points.at(-1)?.loss ?? null),
    cellOf(heldOutBefore),
    cellOf(points.findLast(({ heldOut }) => heldOut !== null)?.heldOut ?? null),
  ]);
  const { training, fusion } = settings;
  const parts = [
    `# ${plain(report.name)}`,
    `Made by ${report.tool}. Bits per byte over ${evaluated.rows} rows (${evaluated.bytes} bytes) that no training read; 95 % intervals by Student's t over rows (n of them), differences paired, none from fewer than ${FEWEST_ROWS} rows. A star: the interval leaves out 0.`,
    table(
      ["model", "role", "bits per byte", "95 %", "to the pivot", "to the plain fine-tune"],
      main,
    ),
    ...(domains.length > 0
      ? [
          "## By domain",
          table(
            [
              "bits per byte",
              ...domains.map(({ domain, rows }) => `${plain(nameDomain(domain))} (n = ${rows})`),
            ],
            byDomain,
          ),
        ]
      : []),
    "## What the sources could teach",
    table(["fusion", "model", "bits per byte", "covered", "wins"], taught),
    "## Training",
    `Profile ${fusion.profile}, λ ${training.lambda}, ${training.mode}${training.mode === "lora" ? ` of rank ${training.rank}` : ""}, learning rate ${training.learningRate}, seed ${training.seed}.`,
    table(
      ["model", "steps", "first loss", "last loss", "held out before", "held out after"],
      learned,
    ),
    "## Recipes",
    ...models
      .filter(({ role, about }) => role === "merge" && about !== null)
      .map(({ name, about }) => `### ${plain(name)}\n\n\`\`\`yaml\n${about}\`\`\``),
    ...(notes.length > 0 ? ["## Notes", notes.map((note) => `- ${plain(note)}`).join("\n")] : []),
  ];
  return `${parts.join("\n\n")}\n`;
}
