import {
  type EvaluationCell,
  FEWEST_ROWS,
  type ReportedModel,
} from "../../../../engine/contract/index.ts";
import { IntervalMark } from "../../../plots/IntervalMark.tsx";
import type { Studio } from "../../../stores/studio.ts";
import { formatBits, formatCount } from "../../../theme/format.ts";
import { SCROLLS } from "../MemberTable.tsx";
import { ModelName } from "./ModelName.tsx";
import { ModelVerbs } from "./ModelVerbs.tsx";
import { spanOf, verdictOf } from "./reportWords.ts";

const ROLES = {
  pivot: "pivot",
  source: "source",
  plain: "plain fine-tune",
  target: "target",
  merge: "merge",
} as const;

interface ReportTableProps {
  readonly studio: Studio;
  /** Models, the pivot first. */
  readonly models: readonly ReportedModel[];
  /** Common prefix of the results' names. */
  readonly prefix: string;
}

/** Digits of a difference: fine-tunes differ by little. */
const DIGITS = 4;

/**
 * Table of every model on rows that no training read: bits per byte with 95 % intervals, and
 * differences.
 */
export function ReportTable({ studio, models, prefix }: ReportTableProps) {
  // Sources are no results and have other tokens: the scale spans the pivot and its results.
  const own = models.filter(({ role }) => role !== "source");
  const span = spanOf(own.map(({ cell }) => cell));
  const best = Math.min(...own.flatMap(({ cell }) => cell.bitsPerByte ?? []));
  const pivot = models[0]?.cell.bitsPerByte ?? null;
  return (
    <section className="totals-scroll" aria-label="Bits per byte by model" {...SCROLLS}>
      <table className="totals-table chat-table num">
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Bits per byte</th>
            <th scope="col">95 %</th>
            <th scope="col">To the pivot</th>
            <th scope="col">To the plain fine-tune</th>
            <th scope="col">
              <span className="unseen">What can be done</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => {
            const { name, role, cell, toPlain } = model;
            const lowest = cell.bitsPerByte === best && role !== "source";
            return (
              <tr key={name}>
                <th scope="row">
                  <span className="chat-model">
                    <ModelName name={name} prefix={prefix} />
                    <span className="small faint">{ROLES[role]}</span>
                  </span>
                </th>
                <td>
                  {lowest && <span className="faint">lowest </span>}
                  {lowest ? <b>{formatBits(cell.bitsPerByte)}</b> : formatBits(cell.bitsPerByte)}
                </td>
                <td>
                  <Interval cell={cell} {...span} mark={role === "source" ? null : pivot} />
                </td>
                <td>
                  <Difference difference={cell.difference} of={cell.rows} />
                </td>
                <td>
                  <Difference difference={toPlain} of={cell.rows} />
                </td>
                <td>
                  <ModelVerbs studio={studio} model={model} pivot={models[0]} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

interface IntervalProps {
  readonly cell: EvaluationCell;
  readonly from: number;
  readonly to: number;
  readonly mark: number | null;
}

function Interval({ cell: { bitsPerByte, interval, rows }, from, to, mark }: IntervalProps) {
  if (bitsPerByte === null || !interval || rows < FEWEST_ROWS) {
    return (
      <span className="faint">
        n = {formatCount(rows)}
        {rows < FEWEST_ROWS && ", too few for an interval"}
      </span>
    );
  }
  const [low, high] = interval;
  return (
    <span className="chat-interval">
      {low >= from && high <= to && (
        <IntervalMark value={bitsPerByte} interval={interval} from={from} to={to} mark={mark} />
      )}
      <span className="small faint">
        {formatBits(low)} – {formatBits(high)}, n = {formatCount(rows)}
      </span>
    </span>
  );
}

interface DifferenceProps {
  readonly difference: EvaluationCell["difference"];
  /** Rows that the model scored. */
  readonly of: number;
}

/** A paired difference; words, not colour, say whether its interval excludes 0. */
function Difference({ difference, of }: DifferenceProps) {
  if (!difference) return <span className="faint">–</span>;
  const { rows = of, interval } = difference;
  const told = rows >= FEWEST_ROWS ? interval : null; // earlier versions stored it of any number
  return (
    <span className="chat-difference">
      <span>
        {difference.mean > 0 ? "+" : ""}
        {formatBits(difference.mean, DIGITS)}{" "}
        <span className="small">{verdictOf({ ...difference, interval: told })}</span>
      </span>
      <span className="small faint">
        {told && `${formatBits(told[0], DIGITS)} to ${formatBits(told[1], DIGITS)}`}
        {rows !== of && ` n = ${formatCount(rows)}`}
      </span>
    </span>
  );
}
