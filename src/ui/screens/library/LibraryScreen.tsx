import { Button } from "@mantine/core";
import { useState } from "react";
import { useStore } from "zustand";
import type { ModelCard } from "../../../engine/contract/index.ts";
import { Icon } from "../../parts/Icon.tsx";
import { mergeModels } from "../../stores/actions.ts";
import { COMMANDS } from "../../stores/commands.ts";
import { findCompatible } from "../../stores/compatible.ts";
import type { Studio } from "../../stores/studio.ts";
import { AdapterMerge } from "./AdapterMerge.tsx";
import { DatasetDrawer } from "./DatasetDrawer.tsx";
import { DatasetList } from "./DatasetList.tsx";
import { ExtractDialog } from "./ExtractDialog.tsx";
import { FirstVisit } from "./FirstVisit.tsx";
import { FusionList } from "./FusionList.tsx";
import { ImportList } from "./ImportList.tsx";
import { MergeOffer } from "./MergeOffer.tsx";
import { ModelDrawer } from "./ModelDrawer.tsx";
import { ModelRow } from "./ModelRow.tsx";
import { StorageLine } from "./StorageLine.tsx";
import "./library.css";

/** Library screen: models, datasets, running imports and storage. */
export function LibraryScreen({ studio }: { readonly studio: Studio }) {
  const all = useStore(studio.library, (state) => state.models);
  const datasets = useStore(studio.library, (state) => state.datasets);
  const selected = useStore(studio.desk, (state) => state.selected);
  const [asking, setAsking] = useState(false);
  const [extracting, setExtracting] = useState<readonly ModelCard[] | null>(null);
  if (all === null) return <div className="library" aria-busy="true" />;
  const models = all.filter(({ pair }) => pair === undefined);
  const picked = models.filter(({ id }) => selected.includes(id));
  const compatible = findCompatible(picked);
  const areAdapters = picked.every(({ state, adapter }) => state === "complete" && adapter);
  const fits = picked.length >= 2 && (areAdapters || compatible.length === picked.length);
  return (
    <div className="library">
      {models.length === 0 ? (
        <FirstVisit studio={studio} />
      ) : (
        <div className="library-bar">
          <p className="muted num">
            {models.length === 1 ? "1 model" : `${models.length} models`}
            {picked.length > 0 && `, ${picked.length} selected`}
          </p>
          <span className="grow" />
          {picked.length >= 2 && !fits && (
            <span className="small muted">These have different shapes.</span>
          )}
          {picked.length === 2 && fits && !areAdapters && (
            <Button onClick={() => setExtracting(picked)}>Extract a LoRA…</Button>
          )}
          {picked.length >= 2 && (
            <Button
              variant="filled"
              disabled={!fits}
              onClick={() => (areAdapters ? setAsking(true) : mergeModels(studio, selected))}
            >
              Merge these
            </Button>
          )}
          <Button
            leftSection={<Icon name="folder" size={16} />}
            onClick={() => COMMANDS.addFolder.run()}
          >
            {COMMANDS.addFolder.label}
          </Button>
          <Button
            leftSection={<Icon name="file" size={16} />}
            onClick={() => COMMANDS.addFiles.run()}
          >
            {COMMANDS.addFiles.label}
          </Button>
        </div>
      )}
      <AdapterMerge
        studio={studio}
        adapters={picked}
        taken={all.map(({ name }) => name)}
        opened={asking}
        onClose={() => setAsking(false)}
      />
      <MergeOffer studio={studio} models={models} />
      <ImportList studio={studio} />
      {models.length > 0 && (
        <div className="models">
          <div className="models-head" aria-hidden="true">
            <span>Name</span>
            <span className="model-facts">
              <span>Architecture</span>
              <span>Parameters</span>
              <span>Dtype</span>
              <span>Size</span>
              <span>Origin</span>
            </span>
          </div>
          <ul aria-label="Models">
            {models.map((model) => (
              <ModelRow
                key={model.id}
                studio={studio}
                model={model}
                selected={selected.includes(model.id)}
              />
            ))}
          </ul>
        </div>
      )}
      {(models.length > 0 || (datasets?.length ?? 0) > 0) && <DatasetList studio={studio} />}
      <FusionList studio={studio} />
      <StorageLine studio={studio} />
      {extracting && (
        <ExtractDialog studio={studio} models={extracting} onClose={() => setExtracting(null)} />
      )}
      <ModelDrawer studio={studio} />
      <DatasetDrawer studio={studio} />
    </div>
  );
}
