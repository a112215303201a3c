import { type ReactNode, useState } from "react";
import "./parts.css";

interface WindowedProps {
  readonly label: string;
  readonly count: number;
  /** Height of every row, in pixels. */
  readonly rowHeight: number;
  readonly height: number | string;
  readonly columns: readonly string[];
  /** Cells of one row, one per column. */
  readonly row: (index: number) => readonly ReactNode[];
}

const SPARE = 12;
/** Scrollable areas must be reachable by keyboard. */
const SCROLLS = { tabIndex: 0 } as const;

/** A virtualised table: only the visible rows are rendered. */
export function Windowed({ label, count, rowHeight, height, columns, row }: WindowedProps) {
  const [view, setView] = useState({ top: 0, height: 600 });
  const first = Math.max(0, Math.floor(view.top / rowHeight) - SPARE);
  const last = Math.min(count, Math.ceil((view.top + view.height) / rowHeight) + SPARE);
  const shown = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
  return (
    <section
      className="windowed"
      style={{ height }}
      {...SCROLLS}
      aria-label={label}
      onScroll={({ currentTarget: { scrollTop, clientHeight } }) =>
        setView({ top: scrollTop, height: clientHeight })
      }
    >
      <div style={{ paddingTop: first * rowHeight, paddingBottom: (count - last) * rowHeight }}>
        <table aria-rowcount={count + 1} className="windowed-table num">
          <thead>
            <tr aria-rowindex={1}>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((index) => (
              <tr key={index} aria-rowindex={index + 2} style={{ height: rowHeight }}>
                {row(index).map((cell, at) => (
                  <td key={columns[at]}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
