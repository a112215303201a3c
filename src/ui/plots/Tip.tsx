import type { ReactNode } from "react";

interface TipProps {
  /** Place of what it is about. */
  readonly place: DOMRect;
  readonly children: ReactNode;
}

const WIDTH = 250;
const HEIGHT = 170;

/** Tooltip below or above a place. Hidden from screen readers: the cell's own label says the same. */
export function Tip({ place, children }: TipProps) {
  const below = place.bottom + HEIGHT < window.innerHeight;
  const left = Math.min(window.innerWidth - WIDTH - 8, Math.max(8, place.left));
  const style = below
    ? { left, top: place.bottom + 8 }
    : { left, bottom: window.innerHeight - place.top + 8 };
  return (
    <div className="tip" style={{ ...style, width: WIDTH }} aria-hidden="true">
      {children}
    </div>
  );
}
