const PATHS = {
  library: "M4 5h16v5H4zM4 14h16v5H4zM7 7.5h.01M7 16.5h.01",
  merge: "M5 4c0 8 7 6 7 16M19 4c0 8-7 6-7 16",
  fuse: "M4 7h6l4 10h6M4 17h6l1.5-4M14 7h6",
  playground: "M4 5h16v11H10l-4 4v-4H4z",
  runs: "M12 4a8 8 0 1 1-7.5 5.2M4 4v5h5M12 8v5l3 2",
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

/** A line drawing of 24 units; says nothing to a screen reader. */
export function Icon({ name, size = 18 }: IconProps) {
  const weight = name === "more" ? 2.6 : 1.6;
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
      <path d={PATHS[name]} />
    </svg>
  );
}
