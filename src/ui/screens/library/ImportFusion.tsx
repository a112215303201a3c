import { Button, FileInput, Modal, Select } from "@mantine/core";
import { useState } from "react";
import type { ModelCard } from "../../../engine/contract/index.ts";
import { importFusion } from "../../stores/fusionActions.ts";
import type { Studio } from "../../stores/studio.ts";

interface ImportFusionProps {
  readonly studio: Studio;
  readonly pivots: readonly ModelCard[];
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** Dialog that imports a fused dataset, and asks for its pivot. */
export function ImportFusion({ studio, pivots, opened, onClose }: ImportFusionProps) {
  const [file, setFile] = useState<File | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const pivot = pivots.find(({ id }) => id === chosen) ?? pivots[0];
  const start = () => {
    if (!file || !pivot) return;
    onClose();
    setFile(null);
    void importFusion(studio, file, pivot.id);
  };
  return (
    <Modal opened={opened} onClose={onClose} title="Import a fused dataset" size="sm">
      <p className="small muted">
        A Parquet file with the fields of FuseLLM or FuseChat, as their scripts write it, or a
        .fused file of this studio.
      </p>
      <FileInput
        mt={12}
        label="File"
        placeholder="Choose a file"
        accept=".parquet,.fused"
        value={file}
        onChange={setFile}
      />
      <Select
        mt={10}
        label="Pivot"
        description="The model whose tokens the file’s ids are."
        data={pivots.map(({ id, name }) => ({ value: id, label: name }))}
        value={pivot?.id ?? null}
        allowDeselect={false}
        onChange={setChosen}
      />
      <div className="row" style={{ justifyContent: "flex-end", marginTop: 18 }}>
        <Button onClick={onClose}>Cancel</Button>
        <Button variant="filled" disabled={!file || !pivot} onClick={start}>
          Import
        </Button>
      </div>
    </Modal>
  );
}
