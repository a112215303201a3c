import type { FusedRow, FusionSettings } from "../../../engine/contract/index.ts";
import { formatBits, formatPercent, formatProbability } from "../../theme/format.ts";
import { nameToken } from "../../theme/tokenText.ts";

const UNITS = { byte: "nats per byte", token: "nats per token" } as const;

/** Difference between the winner's metric and the next; null where nothing can be compared. */
export function winningMargin({ members, winner }: FusedRow): number | null {
  const own = members[winner]?.metric ?? null;
  const others = members.flatMap(({ metric }, at) => (at === winner ? [] : (metric ?? [])));
  return own === null || others.length === 0 ? null : Math.min(...others) - own;
}

/** Name, shortened so that it does not drown its sentence. */
const shorten = (name: string) => (name.length > 32 ? `${name.slice(0, 24)}…` : name);

/**
 * Two or three sentences on a row: the token that follows, who decides by how much, and the tail.
 */
export function rowWords(row: FusedRow, settings: FusionSettings): readonly string[] {
  const { members, winner, gold, fused } = row;
  const gives = members.flatMap(({ model, aligned, own }) => {
    const nats = aligned?.nats ?? own?.nats ?? null;
    return nats === null
      ? []
      : [`${shorten(model)} gives it ${formatProbability(Math.exp(-nats))}`];
  });
  const teacher = shorten(members[winner]?.model ?? "Nobody");
  const margin = winningMargin(row);
  const by =
    margin === null || margin < 0
      ? ""
      : margin === 0
        ? ", level with the next"
        : `, by ${formatBits(margin)} ${UNITS[settings.metric]}`;
  const where = settings.level === "sequence" ? "in this text" : "here";
  const role =
    settings.fusion === "mince"
      ? `${teacher} teaches ${where}${by}.`
      : `${teacher} weighs most ${where}, ${formatPercent(members[winner]?.weight ?? 0)} of the row${by}.`;
  return [
    `The text goes on with “${nameToken(gold.text)}”${gives.length > 0 ? `: ${gives.join(", ")}` : ""}.`,
    role,
    `${formatProbability(fused.tail)} of the fused row lies outside its ${fused.entries.length} entries.`,
  ];
}
