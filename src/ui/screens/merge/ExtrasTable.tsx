import { SegmentedControl } from "@mantine/core";
import { useStore } from "zustand";
import type { ExtraAction, ExtraGroup } from "../../../engine/contract/index.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatCount } from "../../theme/format.ts";
import { withExtra } from "./edits.ts";
import { type ExtraRow, extraRows } from "./extraRows.ts";
import { NameList } from "./NameList.tsx";

/** Patterns that are shown; further ones are for the recipe's text. */
const MOST_ROWS = 24;

const ACTIONS = [
  { value: "copy", label: "Copy" },
  { value: "leave_out", label: "Leave out" },
  { value: "refuse", label: "Refuse" },
] as const;
const MERGE = { value: "merge", label: "Merge" } as const;

interface ExtrasTableProps {
  readonly studio: Studio;
  readonly extras: readonly ExtraGroup[];
}

/** What becomes of tensors that only some models have: edits `extra_tensors` of the recipe. */
export function ExtrasTable({ studio, extras }: ExtrasTableProps) {
  if (extras.length === 0) return null;
  const rows = extraRows(extras);
  const more = rows.length - MOST_ROWS;
  return (
    <div className="extras">
      <h3 className="small">Only in some models</h3>
      <ul aria-label="Tensors that only some models have">
        {rows.slice(0, MOST_ROWS).map((row) => (
          <ExtraLine key={row.filter} studio={studio} row={row} />
        ))}
      </ul>
      {more > 0 && (
        <p className="small muted">
          {formatCount(more)} patterns more: say in the recipe’s text what becomes of them, under
          “extra_tensors”.
        </p>
      )}
    </div>
  );
}

const list = (names: readonly string[]) => names.join(", ");

function sayWho({ tensors, has, lacks }: ExtraRow): string {
  const count = tensors.length === 1 ? "1 tensor" : `${formatCount(tensors.length)} tensors`;
  return has.length <= lacks.length
    ? `${count}, only in ${list(has)}`
    : `${count}, not in ${list(lacks)}`;
}

function ExtraLine({ studio, row }: { readonly studio: Studio; readonly row: ExtraRow }) {
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  const { filter, tensors, has, outcome } = row;
  const stated = recipe.extraTensors?.find((entry) => entry.filter === filter)?.value;
  // Without a word in the recipe several models' tensors are merged, one's is copied.
  const merges = has.length > 1 && (outcome === "merge" || stated !== undefined);
  const choose = (value: string) => {
    const action = ACTIONS.find((each) => each.value === value)?.value ?? null;
    studio.recipe.edit(withExtra(recipe, filter, action satisfies ExtraAction | null));
  };
  return (
    <li className="extra" data-tone={outcome === "refuse" ? "error" : undefined}>
      <span className="mono extra-name">{filter}</span>
      <span className="small muted">{sayWho(row)}</span>
      <SegmentedControl
        size="xs"
        fullWidth
        aria-label={`What becomes of ${filter}`}
        data={merges ? [MERGE, ...ACTIONS] : [...ACTIONS]}
        value={stated ?? outcome}
        onChange={choose}
      />
      {tensors.length > 1 && <NameList label={`Tensors of ${filter}`} names={tensors} />}
    </li>
  );
}
