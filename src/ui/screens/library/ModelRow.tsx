import { ActionIcon, Checkbox, Menu } from "@mantine/core";
import { useState } from "react";
import { useStore } from "zustand";
import type { ModelCard } from "../../../engine/contract/index.ts";
import { Confirm } from "../../parts/Confirm.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { attempt, exportModel, refreshLibrary } from "../../stores/actions.ts";
import type { Studio } from "../../stores/studio.ts";
import {
  formatArchitecture,
  formatBytes,
  formatBytesOf,
  formatQuantity,
} from "../../theme/format.ts";
import { AdapterLine } from "./AdapterLine.tsx";
import { RenameDialog } from "./RenameDialog.tsx";

interface ModelRowProps {
  readonly studio: Studio;
  readonly model: ModelCard;
  readonly selected: boolean;
}

const ORIGINS = {
  import: "imported",
  sample: "sample",
  merge: "merged here",
  train: "trained here",
  transplant: "transplanted here",
  extract: "extracted here",
} as const;
/** Job kind that writes models of each origin, and how an unfinished one is resumed. */
const WRITERS = {
  import: { writer: "import", more: "Drop the same folder again to go on." },
  sample: { writer: "samples", more: "Resume it under Runs." },
  merge: { writer: "merge", more: "Resume it under Runs." },
  train: { writer: "distill", more: "Resume it under Runs." },
  transplant: { writer: "transplant", more: "Resume it under Runs." },
  extract: { writer: "extract", more: "Resume it under Runs." },
} as const;

const kindOf = ({ architecture, adapter }: ModelCard) =>
  adapter ? "adapter" : formatArchitecture(architecture);

/** A checkpoint in the list: its kind, size and commands. */
export function ModelRow({ studio, model, selected }: ModelRowProps) {
  const [asking, setAsking] = useState<"delete" | "rename" | null>(null);
  const partial = model.state === "partial";
  const { writer, more } = WRITERS[model.origin];
  const writing = useStore(studio.jobs, ({ jobs }) =>
    jobs?.some(({ kind, state }) => kind === writer && state === "running"),
  );
  const toggle = () =>
    studio.desk.setState(({ selected: before }) => ({
      selected: selected ? before.filter((id) => id !== model.id) : [...before, model.id],
    }));
  const open = () => studio.desk.setState({ opened: model.id });
  const remove = () =>
    attempt(studio, `Delete ${model.name}`, async () => {
      await studio.engine.deleteModel(model.id);
      if (selected) toggle();
      await refreshLibrary(studio);
    });
  return (
    <li className="model-row" data-selected={selected || undefined}>
      <Checkbox
        aria-label={`Select ${model.name}`}
        checked={selected}
        onChange={toggle}
        disabled={partial}
        size="xs"
      />
      <button type="button" className="model-name" onClick={open} title={model.name}>
        {model.name}
      </button>
      <span className="model-facts num">
        <span className="ellipsis" title={kindOf(model)}>
          {kindOf(model)}
        </span>
        <span>{formatQuantity(model.parameters)}</span>
        <span>{model.dtypes.map((dtype) => dtype.toLowerCase()).join(", ")}</span>
        <span>{formatBytes(model.byteLength)}</span>
        <span className="faint">{ORIGINS[model.origin]}</span>
      </span>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon aria-label={`Actions for ${model.name}`} size="md">
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={open}>What is inside…</Menu.Item>
          <Menu.Item onClick={() => setAsking("rename")}>Rename…</Menu.Item>
          <Menu.Item disabled={partial} onClick={() => exportModel(studio, model.id)}>
            Export…
          </Menu.Item>
          <Menu.Item color="red" onClick={() => setAsking("delete")}>
            Delete…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {model.adapter && !partial && <AdapterLine studio={studio} model={model} />}
      {partial && (
        <p className="model-partial small">
          {writing
            ? "Not finished yet."
            : `Not finished: ${formatBytesOf(model.storedBytes, model.byteLength)} are stored. ${more}`}
        </p>
      )}
      <Confirm
        opened={asking === "delete"}
        title={`Delete ${model.name}?`}
        verb="Delete"
        onConfirm={remove}
        onClose={() => setAsking(null)}
      >
        Its {formatBytes(model.storedBytes)} are freed. Your own files on disk are not touched.
      </Confirm>
      <RenameDialog
        studio={studio}
        model={model}
        opened={asking === "rename"}
        onClose={() => setAsking(null)}
      />
    </li>
  );
}
