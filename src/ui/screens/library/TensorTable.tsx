import { TextInput } from "@mantine/core";
import { useDeferredValue, useState } from "react";
import type { TensorCard } from "../../../engine/contract/index.ts";
import { Windowed } from "../../parts/Windowed.tsx";
import { formatBytes, formatCount, formatShape } from "../../theme/format.ts";

const COLUMNS = ["Name", "Shape", "Dtype", "Size"] as const;

/** Virtualised table of a checkpoint's tensors, filtered by a part of the name. */
export function TensorTable({ tensors }: { readonly tensors: readonly TensorCard[] }) {
  const [wanted, setWanted] = useState("");
  const piece = useDeferredValue(wanted.trim().toLowerCase());
  const found = piece ? tensors.filter(({ name }) => name.toLowerCase().includes(piece)) : tensors;
  return (
    <div className="tensors">
      <TextInput
        aria-label="Filter tensors by name"
        placeholder="Filter by name, such as layers.3 or gate"
        value={wanted}
        onChange={({ currentTarget }) => setWanted(currentTarget.value)}
        description={piece ? `${formatCount(found.length)} of ${formatCount(tensors.length)}` : ""}
        inputWrapperOrder={["input", "description"]}
      />
      <Windowed
        key={piece}
        label="Tensors"
        count={found.length}
        rowHeight={28}
        height="calc(100dvh - 290px)"
        columns={COLUMNS}
        row={(index) => {
          const tensor = found[index];
          if (!tensor) return [];
          return [
            <span key="name" className="mono" title={tensor.file}>
              {tensor.name}
            </span>,
            formatShape(tensor.shape),
            tensor.dtype.toLowerCase(),
            formatBytes(tensor.byteLength),
          ];
        }}
      />
    </div>
  );
}
