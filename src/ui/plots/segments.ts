/** A segment of a stacked bar, from 0 to 1 along it. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly colour: string;
  /** Whether the share is negative; drawn hatched. */
  readonly negative: boolean;
}

/** Remainder below which it counts as rounding. */
const NOTHING = 1e-6;

/**
 * Shares as segments, the remainder to 1 last in its own colour. Negative shares are marked; widths
 * are |share| / Σ|share|, so that they always fill the bar.
 */
export function stackShares(
  shares: readonly number[],
  colours: readonly string[],
  remainder: string | null,
): readonly Segment[] {
  const rest = remainder === null ? 0 : 1 - shares.reduce((sum, share) => sum + share, 0);
  const parts = shares.map((share, index) => ({ share, colour: colours[index] ?? "" }));
  if (remainder !== null && Math.abs(rest) > NOTHING) {
    parts.push({ share: rest, colour: remainder });
  }
  const total = parts.reduce((sum, { share }) => sum + Math.abs(share), 0);
  if (!(total > 0)) return [];
  let from = 0;
  return parts.flatMap(({ share, colour }) => {
    const to = from + Math.abs(share) / total;
    const segment = { from, to, colour, negative: share < 0 };
    from = to;
    return segment.to > segment.from ? [segment] : [];
  });
}

const percent = (fraction: number) => `${Math.round(fraction * 10_000) / 100}%`;

/**
 * Segments as one CSS background, hatching on top: a cell is one element, however many models it
 * shows. `--k` mixes the colours with `--bg`.
 */
export function paintSegments(segments: readonly Segment[]): {
  readonly backgroundImage: string;
  readonly backgroundSize: string;
  readonly backgroundPosition: string;
} {
  const stops = segments.map(({ from, to, colour }) => {
    const tone = `color-mix(in srgb, ${colour} var(--k, 100%), var(--map-back))`;
    return `${tone} ${percent(from)} ${percent(to)}`;
  });
  const hatched = segments.filter(({ negative }) => negative);
  const hatch = "repeating-linear-gradient(45deg, var(--hatch) 0 2px, transparent 2px 5px)";
  const layers = hatched.map(() => hatch);
  const sizes = hatched.map(({ from, to }) => `${percent(to - from)} 100%`);
  const places = hatched.map(({ from, to }) => {
    const room = 1 - (to - from);
    return `${percent(room > 0 ? from / room : 0)} 0`;
  });
  return {
    backgroundImage: [...layers, `linear-gradient(to right, ${stops.join(", ")})`].join(", "),
    backgroundSize: [...sizes, "100% 100%"].join(", "),
    backgroundPosition: [...places, "0 0"].join(", "),
  };
}
