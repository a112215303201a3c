import { type KeyboardEvent, type SyntheticEvent, useRef, useState } from "react";
import { moveFocus } from "./gridKeys.ts";
import { type GridColumn, type GridRow, line, tracks } from "./gridLayout.ts";
import { gridRoles } from "./gridRoles.ts";
import { ShareRow } from "./ShareRow.tsx";
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
  const { label, columns, rows, selected, onOpen, onHover } = props;
  const root = useRef<HTMLDivElement>(null);
  const known = rows.some(({ cells }) => cells.some(({ key }) => key === selected));
  const [at, setAt] = useState<string | null>(null);
  const active = at ?? (known ? selected : null) ?? rows[0]?.cells[0]?.key ?? null;
  const template = tracks(columns);
  const focus = (key: string) => {
    setAt(key);
    root.current?.querySelector<HTMLElement>(`[data-cell="${CSS.escape(key)}"]`)?.focus();
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (active) onOpen(active);
      return;
    }
    const next = active && moveFocus(rows, active, event.key, event.ctrlKey || event.metaKey);
    if (!next) return;
    event.preventDefault();
    focus(next);
  };
  const find = (target: EventTarget) =>
    (target as Element).closest<HTMLElement>("[data-cell]") ?? null;
  const tell = (cell: HTMLElement | null) =>
    onHover(cell?.dataset.cell ?? null, cell?.getBoundingClientRect() ?? null);
  // One listener on the grid: handlers on thousands of cells would be slow.
  const listeners = {
    onKeyDown: press,
    onPointerOver: ({ target }: SyntheticEvent) => tell(find(target)),
    onPointerLeave: () => tell(null),
    onFocus: ({ target }: SyntheticEvent) =>
      (target as Element).matches(":focus-visible") && tell(find(target)),
    onBlur: () => tell(null),
    onClick: ({ target }: SyntheticEvent) => {
      const key = find(target)?.dataset.cell;
      if (!key) return;
      setAt(key);
      onOpen(key);
    },
  };
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
