import { type KeyboardEvent, type SyntheticEvent, useRef, useState } from "react";
import { type KeyRow, moveFocus } from "./gridKeys.ts";

interface GridUse {
  readonly rows: readonly KeyRow[];
  readonly selected: string | null;
  readonly onOpen: (key: string) => void;
  /** Called with the cell under the pointer or the keyboard's focus, and its place. */
  readonly onHover: (key: string | null, place: DOMRect | null) => void;
}

/**
 * Keyboard and pointer of an ARIA grid: one tab stop, arrows move, Enter opens. Its cells are the
 * elements with `data-cell`; listeners go on the grid alone, since thousands of cells would be slow.
 */
export function useGrid({ rows, selected, onOpen, onHover }: GridUse) {
  const root = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<string | null>(null);
  const has = (wanted: string | null) =>
    rows.some(({ cells }) => cells.some(({ key }) => key === wanted));
  const active = [at, selected].find(has) ?? rows[0]?.cells[0]?.key ?? null;
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (active) onOpen(active);
      return;
    }
    const next = active && moveFocus(rows, active, event.key, event.ctrlKey || event.metaKey);
    if (!next) return;
    event.preventDefault();
    setAt(next);
    root.current?.querySelector<HTMLElement>(`[data-cell="${CSS.escape(next)}"]`)?.focus();
  };
  const find = (target: EventTarget) =>
    (target as Element).closest<HTMLElement>("[data-cell]") ?? null;
  const tell = (cell: HTMLElement | null) =>
    onHover(cell?.dataset.cell ?? null, cell?.getBoundingClientRect() ?? null);
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
  return { root, active, listeners };
}
