import { useState } from "react";
import { Windowed } from "../../parts/Windowed.tsx";
import { formatCount } from "../../theme/format.ts";

interface NameListProps {
  readonly label: string;
  readonly names: readonly string[];
}

const ROW = 24;

/** Names of tensors or files, folded away: thousands of them cost nothing until they are looked at. */
export function NameList({ label, names }: NameListProps) {
  const [open, setOpen] = useState(false);
  return (
    <details className="names" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className="small">All {formatCount(names.length)}</summary>
      {open && (
        <Windowed
          label={label}
          count={names.length}
          rowHeight={ROW}
          height={Math.min(216, (names.length + 1) * ROW + 8)}
          columns={["Name"]}
          row={(index) => [
            <span key="name" className="mono">
              {names[index]}
            </span>,
          ]}
        />
      )}
    </details>
  );
}
