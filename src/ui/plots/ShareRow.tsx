import { memo } from "react";
import { type GridColumn, type GridRow, line } from "./gridLayout.ts";
import { gridRoles } from "./gridRoles.ts";
import { paintSegments } from "./segments.ts";

interface RowProps {
  readonly row: GridRow;
  readonly columns: readonly GridColumn[];
  readonly template: string;
  readonly rowIndex: number;
  readonly active: string | null;
  readonly selected: string | null;
}

/** One row of the grid, memoised. */
export const ShareRow = memo(function ShareRow(props: RowProps) {
  const { row, columns, template, rowIndex, active, selected } = props;
  return (
    <div
      {...gridRoles.row(rowIndex)}
      className="sharegrid-row"
      style={{ gridTemplateColumns: template }}
    >
      <span {...gridRoles.rowHeader} className="ellipsis" title={row.heading}>
        {row.heading}
      </span>
      {row.cells.map((cell) => (
        <div
          key={cell.key}
          {...gridRoles.cell(cell.label, cell.column + 2, cell.span, cell.key === selected)}
          className="sharegrid-cell"
          data-cell={cell.key}
          data-state={cell.segments === null ? "unknown" : cell.plain ? "plain" : "known"}
          data-locked={cell.locked || undefined}
          tabIndex={cell.key === active ? 0 : -1}
          style={{
            gridColumn: `${line(columns, cell.column)} / ${line(columns, cell.column + cell.span - 1) + 1}`,
            ["--k" as string]: `${Math.round(40 + 60 * cell.strength)}%`,
            ...(cell.segments === null ? {} : paintSegments(cell.segments)),
          }}
        />
      ))}
    </div>
  );
});
