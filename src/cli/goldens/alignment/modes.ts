import type { FusionSettings } from "../../../engine/contract/index.ts";
import type { DtwProfileName } from "../../../engine/fuse/align/warper.ts";
import type { GoldenRow, RowChanges } from "./files.ts";
import type { MapKind } from "./vocabularies.ts";

/** One way a reference can be run over a text. */
export interface Mode {
  readonly name: string;
  readonly map: MapKind;
  readonly settings: Pick<FusionSettings, "profile" | "vocabulary" | "matrix" | "fallback">;
}

/** The modes of the goldens; the first is given in full, the others by what differs from it. */
export function modesOf(profile: DtwProfileName): readonly Mode[] {
  const mode = (name: string, map: MapKind, matrix = false): Mode => ({
    name,
    map,
    settings: {
      profile,
      vocabulary: map,
      matrix,
      fallback: profile === "fusechat-v2" ? "gold" : "current",
    },
  });
  switch (profile) {
    case "fusellm":
      return [mode("hard", "exact"), mode("soft", "mined")];
    case "fusechat-v1":
      return [mode("off", "statistics"), mode("on", "statistics", true)];
    case "fusechat-v2":
      return [mode("off", "statistics"), mode("on", "statistics", true), mode("hard", "exact")];
  }
}

/** The rows that a mode has to give. Undefined where the goldens say nothing about it. */
export function rowsOf(
  rows: Readonly<Record<string, unknown>>,
  profile: DtwProfileName,
  mode: Mode,
): readonly GoldenRow[] | undefined {
  const [first] = modesOf(profile);
  const whole = rows[first?.name ?? ""] as readonly GoldenRow[] | undefined;
  if (mode.name === first?.name || !whole) return whole;
  const changes = rows[`${mode.name}_diff`] as RowChanges | undefined;
  return changes && whole.map((row, at) => changes[at] ?? row);
}
