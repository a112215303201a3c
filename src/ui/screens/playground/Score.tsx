import { type EvaluationFigures, FEWEST_ROWS } from "../../../engine/contract/index.ts";
import { formatBits, formatCount } from "../../theme/format.ts";
import { halfWidth, judge } from "./evaluationTable.ts";

/** Earlier versions stored intervals of fewer rows, which are not shown. */
const told = (interval: EvaluationFigures["interval"], rows: number) =>
  rows < FEWEST_ROWS ? null : interval;

/** Bits per byte with their interval, and the difference to the first model. */
export function Score({ figures }: { readonly figures: EvaluationFigures | undefined }) {
  if (!figures || figures.bitsPerByte === null) return <span className="faint">–</span>;
  const { bitsPerByte, difference, rows, tokens, natsPerToken } = figures;
  const interval = told(figures.interval, rows);
  const half = halfWidth(interval);
  const title = [
    `${formatCount(rows)} rows`,
    `${formatCount(tokens)} tokens`,
    `${formatBits(natsPerToken)} nats per token`,
    interval ? `95 %: ${formatBits(interval[0])} to ${formatBits(interval[1])}` : "",
  ];
  return (
    <span className="score" title={title.filter(Boolean).join(", ")}>
      <span>
        <b>{formatBits(bitsPerByte)}</b>
        {half !== null && <span className="muted"> ± {formatBits(half)}</span>}
        <span className="faint">
          {" "}
          n = {formatCount(rows)}
          {rows < FEWEST_ROWS && !difference && ", too few for an interval"}
        </span>
      </span>
      {difference && <Difference difference={difference} of={rows} />}
    </span>
  );
}

interface DifferenceProps {
  readonly difference: NonNullable<EvaluationFigures["difference"]>;
  /** Rows that the model scored. */
  readonly of: number;
}

function Difference({ difference, of }: DifferenceProps) {
  const { mean, rows = of } = difference;
  const interval = told(difference.interval, rows);
  const words = judge(interval);
  const clear = words === "better" || words === "worse";
  return (
    <span className="score-difference" data-words={words}>
      <span>
        {clear ? <b>{signed(mean)}</b> : signed(mean)}{" "}
        <span className="faint">
          {interval && `[${formatBits(interval[0])} to ${formatBits(interval[1])}]`}
          {rows !== of && ` n = ${formatCount(rows)}`}
        </span>
      </span>
      <span className="score-words">{words}</span>
    </span>
  );
}

function signed(value: number): string {
  const text = formatBits(value);
  return value > 0 && text !== "0.000" ? `+${text}` : text;
}
