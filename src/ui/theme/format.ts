/** No-break space between a number and its unit. */
const GAP = "\u00a0";
const MINUS = "\u2212";
const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;
const COUNT_UNITS = ["", "k", "M", "B", "T"] as const;

const sign = (text: string) => text.replace(/^-/, MINUS);

/** Number with one decimal below 10 and none above, in the unit where it stays below 1000. */
function scale(value: number, units: readonly string[]): string {
  let unit = 0;
  let rest = value;
  const shown = () => (unit === 0 || rest >= 9.95 ? Math.round(rest) : Math.round(rest * 10) / 10);
  while (shown() >= 1000 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && rest < 9.95 ? 1 : 0;
  const name = units[unit] ?? "";
  return `${rest.toFixed(digits)}${name ? GAP + name : ""}`;
}

/** Bytes with decimal units: `9.8 MB`. */
export function formatBytes(bytes: number): string {
  return scale(Math.max(0, bytes), BYTE_UNITS);
}

/** Two amounts: `2.1 of 58 GB`, or with both units where they differ. */
export function formatBytesOf(part: number, whole: number): string {
  const [a = "", unitA = ""] = formatBytes(part).split(GAP);
  const [b = "", unitB = ""] = formatBytes(whole).split(GAP);
  return unitA === unitB || part === 0
    ? `${a} of ${b}${GAP}${unitB}`
    : `${a}${GAP}${unitA} of ${b}${GAP}${unitB}`;
}

/** A whole number with thousands separators: `44,032`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en");
}

/** A large number of things, shortened: `1.2 M`, `7.2 B`. */
export function formatQuantity(count: number): string {
  return scale(Math.max(0, count), COUNT_UNITS);
}

/** A fraction in per cent: `6.1 %`. */
export function formatPercent(fraction: number): string {
  const percent = fraction * 100;
  const digits = Math.abs(percent) < 9.95 ? 1 : 0;
  return `${sign(percent.toFixed(digits))}${GAP}%`;
}

/** A probability in per cent; small ones differ from 0: `< 0.1 %`. */
export function formatProbability(probability: number): string {
  if (probability > 0 && probability < 0.001) return `<${GAP}0.1${GAP}%`;
  return formatPercent(Math.min(1, probability));
}

/** Nats, or bits per byte, with three decimals: `1.234`. */
export function formatBits(value: number | null, digits = 3): string {
  if (value === null || !Number.isFinite(value)) return "–";
  const text = value.toFixed(digits);
  return sign(Number(text) === 0 ? text.replace("-", "") : text);
}

/** Tokens per second: `8.2`, `120`; a dash for null. */
export function formatRate(perSecond: number | null): string {
  if (perSecond === null || !Number.isFinite(perSecond)) return "–";
  return perSecond.toFixed(perSecond < 99.5 ? 1 : 0);
}

/** A share of a merge, three decimals: `0.162`. */
export function formatShare(share: number): string {
  const text = share.toFixed(3);
  return sign(text === "-0.000" ? "0.000" : text);
}

/** A measured number with four significant digits; a dash for null. */
export function formatNumber(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) {
    const [mantissa = "", exponent = ""] = value.toExponential(2).split("e");
    return `${sign(mantissa)}e${sign(exponent.replace("+", ""))}`;
  }
  return sign(String(Number(value.toPrecision(4))));
}

/** Duration in words: `under a second`, `12 s`, `3 min 05 s`, `2 h 14 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return "under a second";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${GAP}s`;
  const pad = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}${GAP}min ${pad(whole % 60)}${GAP}s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)}${GAP}h ${pad(minutes % 60)}${GAP}min`;
}

/** `412 MB/s`. */
export function formatSpeed(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** `344 × 128`; a scalar has no axes. */
export function formatShape(shape: readonly number[]): string {
  return shape.length === 0 ? "scalar" : shape.map(formatCount).join(" × ");
}

/** Layers [first, end), the last one included: `0–15`; a single one: `7`. */
export function formatLayers([first, end]: readonly [number, number]): string {
  return end - first === 1 ? String(first) : `${first}–${end - 1}`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** `today 14:03`, or the date before it. */
export function formatWhen(time: number, now: number): string {
  const day = DAY.format(time);
  return `${day === DAY.format(now) ? "today" : day} ${CLOCK.format(time)}`;
}

/** Short name of an architecture: `Llama` for `LlamaForCausalLM`. */
export function formatArchitecture(architecture: string | null): string {
  return architecture?.replace(/(For[A-Z]\w*|LMHeadModel|Model)$/, "") || "unknown architecture";
}
