import { ActionIcon, Button, Menu } from "@mantine/core";
import { useState } from "react";
import { useStore } from "zustand";
import type { DatasetCard } from "../../../engine/contract/index.ts";
import { Confirm } from "../../parts/Confirm.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { COMMANDS } from "../../stores/commands.ts";
import { removeDataset } from "../../stores/datasets.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatBytes, formatCount } from "../../theme/format.ts";

/** List of texts and chats, below the models. */
export function DatasetList({ studio }: { readonly studio: Studio }) {
  const datasets = useStore(studio.library, (state) => state.datasets);
  const busy = useStore(studio.jobs, () => COMMANDS.sampleTexts.blocked(studio) !== null);
  if (datasets === null) return null;
  return (
    <section className="datasets" aria-label="Datasets">
      <div className="library-bar">
        <h2 className="section-title">Datasets</h2>
        <span className="grow small muted">
          {datasets.length === 0 &&
            "Texts and chats to evaluate on: drop JSONL, JSON, CSV, Parquet, text."}
        </span>
        {datasets.length === 0 ? (
          <Button size="xs" disabled={busy} onClick={() => COMMANDS.sampleTexts.run(studio)}>
            {COMMANDS.sampleTexts.label}
          </Button>
        ) : (
          <Button size="xs" onClick={() => COMMANDS.evaluation.run(studio)}>
            {COMMANDS.evaluation.label}
          </Button>
        )}
      </div>
      {datasets.length > 0 && (
        <ul className="models" aria-label="Datasets">
          {datasets.map((dataset) => (
            <DatasetRow key={dataset.id} studio={studio} dataset={dataset} />
          ))}
        </ul>
      )}
    </section>
  );
}

interface DatasetRowProps {
  readonly studio: Studio;
  readonly dataset: DatasetCard;
}

function DatasetRow({ studio, dataset }: DatasetRowProps) {
  const [asking, setAsking] = useState(false);
  const { id, name, kind, rows, byteLength, problemCount } = dataset;
  const open = () => studio.desk.setState({ openedDataset: id });
  return (
    <li className="model-row dataset-row">
      <button type="button" className="model-name" onClick={open} title={name}>
        {name}
      </button>
      <span className="dataset-facts num">
        <span>{kind}</span>
        <span>
          {formatCount(rows)} {rows === 1 ? "row" : "rows"}
        </span>
        <span>{formatBytes(byteLength)}</span>
        <span className={problemCount > 0 ? "dataset-problems" : "faint"}>
          {problemCount === 0 ? "all read" : `${formatCount(problemCount)} not read`}
        </span>
      </span>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon aria-label={`Actions for ${name}`} size="md">
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={open}>About it…</Menu.Item>
          <Menu.Item color="red" onClick={() => setAsking(true)}>
            Delete…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Confirm
        opened={asking}
        title={`Delete ${name}?`}
        verb="Delete"
        onConfirm={() => removeDataset(studio, dataset)}
        onClose={() => setAsking(false)}
      >
        Your own files on disk are not touched. Tables that it is part of stay.
      </Confirm>
    </li>
  );
}
