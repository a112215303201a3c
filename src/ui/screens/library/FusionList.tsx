import { ActionIcon, Button, Menu } from "@mantine/core";
import { useState } from "react";
import { useStore } from "zustand";
import type { FusionCard } from "../../../engine/contract/index.ts";
import { Confirm } from "../../parts/Confirm.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { isModel } from "../../stores/compatible.ts";
import {
  exportFusion,
  FUSION_FORMATS,
  openFusion,
  removeFusion,
} from "../../stores/fusionActions.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatBytes, formatCount } from "../../theme/format.ts";
import { ImportFusion } from "./ImportFusion.tsx";

/** List of fused datasets, below the texts. */
export function FusionList({ studio }: { readonly studio: Studio }) {
  const fusions = useStore(studio.library, (state) => state.fusions);
  const models = useStore(studio.library, (state) => state.models);
  const [importing, setImporting] = useState(false);
  const pivots = (models ?? []).filter(isModel);
  if (!fusions || (fusions.length === 0 && pivots.length === 0)) return null;
  return (
    <section className="datasets" aria-label="Fused datasets">
      <div className="library-bar">
        <h2 className="section-title">Fused datasets</h2>
        <span className="grow small muted">
          {fusions.length === 0 && "What a pivot learns from other models is kept here."}
        </span>
        {pivots.length > 0 && (
          <Button size="xs" onClick={() => setImporting(true)}>
            Import a file…
          </Button>
        )}
      </div>
      {fusions.length > 0 && (
        <ul className="models" aria-label="Fused datasets">
          {fusions.map((fusion) => (
            <FusionRow key={fusion.id} studio={studio} fusion={fusion} />
          ))}
        </ul>
      )}
      <ImportFusion
        studio={studio}
        pivots={pivots}
        opened={importing}
        onClose={() => setImporting(false)}
      />
    </section>
  );
}

interface FusionRowProps {
  readonly studio: Studio;
  readonly fusion: FusionCard;
}

function FusionRow({ studio, fusion }: FusionRowProps) {
  const [asking, setAsking] = useState(false);
  const { id, name, state, members, documents, rows, byteLength } = fusion;
  const [pivot, ...sources] = members.map(({ model }) => model);
  const who = `${pivot} ← ${sources.join(", ")}`;
  const partial = state === "partial";
  return (
    <li className="model-row dataset-row">
      <button
        type="button"
        className="model-name"
        onClick={() => openFusion(studio, id)}
        title={name}
      >
        {name}
      </button>
      <span className="dataset-facts fusion-facts num">
        <span className="ellipsis" title={who}>
          {who}
        </span>
        <span>
          {formatCount(documents)} {documents === 1 ? "text" : "texts"}
        </span>
        <span>
          {formatCount(rows)} {rows === 1 ? "row" : "rows"}
        </span>
        <span>{formatBytes(byteLength)}</span>
      </span>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon aria-label={`Actions for ${name}`} size="md">
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => openFusion(studio, id)}>Look at it…</Menu.Item>
          <Menu.Label>Export</Menu.Label>
          {FUSION_FORMATS.map(([format, words]) => (
            <Menu.Item
              key={format}
              disabled={partial}
              onClick={() => exportFusion(studio, fusion, format)}
            >
              {words}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item color="red" onClick={() => setAsking(true)}>
            Delete…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {partial && (
        <p className="model-partial small">Not finished yet. Its run is on the Fuse screen.</p>
      )}
      <Confirm
        opened={asking}
        title={`Delete ${name}?`}
        verb="Delete"
        onConfirm={() => removeFusion(studio, fusion)}
        onClose={() => setAsking(false)}
      >
        Its {formatBytes(byteLength)} are freed. Models and texts that it was made of stay.
      </Confirm>
    </li>
  );
}
