import type { ReactNode } from "react";
import { formatProbability } from "../theme/format.ts";
import { nameToken } from "../theme/tokenText.ts";
import type { DistributionRow } from "./distributionRows.ts";
import "./distribution.css";

export interface DistributionColumn {
  readonly key: string;
  readonly heading: ReactNode;
  readonly colour: string;
  /** Probability outside the entries; null where there is no distribution. */
  readonly tail: number | null;
}

interface DistributionTableProps {
  readonly label: string;
  readonly columns: readonly DistributionColumn[];
  readonly rows: readonly DistributionRow[];
  /** Probability at the end of the bars. */
  readonly scale: number;
}

/** Table of tokens by distribution, with a bar and a number in each cell. */
export function DistributionTable({ label, columns, rows, scale }: DistributionTableProps) {
  return (
    <table className="distribution num" aria-label={label}>
      <thead>
        <tr>
          <th scope="col">Token</th>
          {columns.map(({ key, heading }) => (
            <th key={key} scope="col">
              {heading}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ id, text, gold, cells }) => (
          <tr key={id} data-gold={gold || undefined}>
            <th scope="row" title={`id ${id}`}>
              {gold && <span aria-hidden="true">▸ </span>}
              <span className="mono">{nameToken(text)}</span>
              {gold && <span className="unseen"> (it follows)</span>}
            </th>
            {columns.map(({ key, colour, tail }, at) => (
              <td key={key}>
                <Bar probability={cells[at] ?? null} colour={colour} scale={scale} tail={tail} />
              </td>
            ))}
          </tr>
        ))}
        <tr className="distribution-tail">
          <th scope="row">elsewhere</th>
          {columns.map(({ key, tail }) => (
            <td key={key}>
              <Bar probability={tail} colour="var(--hatched)" scale={scale} tail={tail} />
            </td>
          ))}
        </tr>
      </tbody>
    </table>
  );
}

interface BarProps {
  readonly probability: number | null;
  readonly colour: string;
  readonly scale: number;
  readonly tail: number | null;
}

function Bar({ probability, colour, scale, tail }: BarProps) {
  if (probability === null) {
    return <span className="distribution-cell faint">{tail === null ? "" : "–"}</span>;
  }
  return (
    <span className="distribution-cell">
      <span className="distribution-track">
        <i style={{ width: `${Math.min(1, probability / scale) * 100}%`, background: colour }} />
      </span>
      <span>{formatProbability(probability)}</span>
    </span>
  );
}
