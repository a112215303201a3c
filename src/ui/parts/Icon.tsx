const PATHS = {
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  tick: "M5 12.5l5 5L19.5 7",
  close: "M6 6l12 12M18 6L6 18",
  folder: "M3 6.5h6l2 2.5h10v10H3z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  download: "M12 4v11M7.5 10.5L12 15l4.5-4.5M5 20h14",
  drop: "M12 4v10M8 10.5l4 4 4-4M4 15v5h16v-5",
} as const;

export type IconName = keyof typeof PATHS;

interface IconProps {
  readonly name: IconName;
  readonly size?: number;
}

/** An icon, hidden from screen readers. */
export function Icon({ name, size = 18 }: IconProps) {
  return <Drawing path={PATHS[name]} size={size} weight={name === "more" ? 2.6 : 1.6} />;
}

interface DrawingProps {
  /** An SVG path of 24 × 24 units. */
  readonly path: string;
  readonly size: number;
  /** Stroke width in the path's units. */
  readonly weight?: number;
}

/** A line drawing, hidden from screen readers. */
export function Drawing({ path, size, weight = 1.6 }: DrawingProps) {
  return (
    <svg
      viewBox="0 0 24 24"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth={weight}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={path} />
    </svg>
  );
}
