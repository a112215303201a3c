import { useState } from "react";
import { formatCount } from "../theme/format.ts";
import type { Curve } from "./curve.ts";
import { thinned } from "./ticks.ts";

interface CurveTableProps {
  readonly label: string;
  /** What the rows are: "Layer". */
  readonly heading?: string;
  readonly curves: readonly Curve[];
  readonly format: (value: number) => string;
}

/** Largest number of rows; the report's file has every step. */
const MOST_ROWS = 200;
/** Scrollable areas must be reachable by keyboard. */
const SCROLLS = { tabIndex: 0 } as const;

/** Table of the curves' values, a row per step; built when it is opened. */
export function CurveTable({ label, heading = "Step", curves, format }: CurveTableProps) {
  const [open, setOpen] = useState(false);
  return (
    <details
      className="fold curves-numbers"
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>
        <span className="small">The numbers</span>
      </summary>
      {open && (
        <section className="curves-scroll" aria-label={`${label} as numbers`} {...SCROLLS}>
          <Numbers heading={heading} curves={curves} format={format} />
        </section>
      )}
    </details>
  );
}

function Numbers({ heading, curves, format }: Omit<CurveTableProps, "label">) {
  const columns = curves.map(
    ({ points }) => new Map(points.map(({ step, value }) => [step, value])),
  );
  const steps = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const shown = thinned(
    steps.sort((a, b) => a - b),
    MOST_ROWS,
  );
  return (
    <table className="curves-table num">
      <thead>
        <tr>
          <th scope="col">{heading}</th>
          {curves.map(({ name }) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {shown.map((step) => (
          <tr key={step}>
            <th scope="row">{formatCount(step)}</th>
            {columns.map((column, at) => {
              const value = column.get(step);
              return <td key={curves[at]?.name}>{value === undefined ? "–" : format(value)}</td>;
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
