import { type GridColumn, type GridRow, line, tracks } from "./gridLayout.ts";
import { gridRoles } from "./gridRoles.ts";
import { ShareRow } from "./ShareRow.tsx";
import { useGrid } from "./useGrid.ts";
import "./plots.css";

interface ShareGridProps {
  readonly label: string;
  readonly columns: readonly GridColumn[];
  readonly rows: readonly GridRow[];
  readonly selected: string | null;
  readonly onOpen: (key: string) => void;
  /** Called with the cell under the pointer or the keyboard's focus, and its place. */
  readonly onHover: (key: string | null, place: DOMRect | null) => void;
}

/** Grid of stacked shares, rows × columns: an ARIA grid with arrow keys and Enter. */
export function ShareGrid(props: ShareGridProps) {
  const { label, columns, rows, selected } = props;
  const { root, active, listeners } = useGrid(props);
  const template = tracks(columns);
  return (
    <div
      ref={root}
      className="sharegrid"
      {...gridRoles.grid(label, rows.length + 1, columns.length + 1)}
      {...listeners}
    >
      <div
        {...gridRoles.row(1)}
        className="sharegrid-head"
        style={{ gridTemplateColumns: template }}
      >
        <span {...gridRoles.columnHeader(1)}>
          <span className="unseen">Layer</span>
        </span>
        {columns.map(({ key, heading }, index) => (
          <span
            key={key}
            {...gridRoles.columnHeader(index + 2)}
            className="ellipsis"
            title={heading}
            style={{ gridColumn: line(columns, index) }}
          >
            {heading}
          </span>
        ))}
      </div>
      {rows.map((row, index) => (
        <ShareRow
          key={row.key}
          row={row}
          columns={columns}
          template={template}
          rowIndex={index + 2}
          active={row.cells.some(({ key }) => key === active) ? active : null}
          selected={row.cells.some(({ key }) => key === selected) ? selected : null}
        />
      ))}
    </div>
  );
}
