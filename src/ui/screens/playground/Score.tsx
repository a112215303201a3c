import type { EvaluationFigures } from "../../../engine/contract/index.ts";
import { formatBits, formatCount } from "../../theme/format.ts";
import { halfWidth, judge } from "./evaluationTable.ts";

/** Bits per byte with their interval, and how they differ from the first model's. */
export function Score({ figures }: { readonly figures: EvaluationFigures | undefined }) {
  if (!figures || figures.bitsPerByte === null) return <span className="faint">–</span>;
  const { bitsPerByte, interval, difference, rows, tokens, natsPerToken } = figures;
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
      </span>
      {difference && <Difference {...difference} />}
    </span>
  );
}

function Difference({ mean, interval }: NonNullable<EvaluationFigures["difference"]>) {
  const words = judge(interval);
  const clear = words !== "no clear difference";
  const range = `${formatBits(interval[0])} to ${formatBits(interval[1])}`;
  return (
    <span className="score-difference" data-words={words}>
      <span>
        {clear ? <b>{signed(mean)}</b> : signed(mean)} <span className="faint">[{range}]</span>
      </span>
      <span className="score-words">{words}</span>
    </span>
  );
}

function signed(value: number): string {
  const text = formatBits(value);
  return value > 0 && text !== "0.000" ? `+${text}` : text;
}
