import { Button, Modal, Select } from "@mantine/core";
import { useEffect, useState } from "react";
import {
  EXTRACTION_DEFAULTS,
  EXTRACTION_SETTINGS,
  type ExtractionSettings,
  type ModelCard,
  type ModelId,
} from "../../../engine/contract/index.ts";
import { FieldList } from "../../parts/FieldList.tsx";
import { guessOriginal, startExtraction } from "../../stores/extractActions.ts";
import type { Studio } from "../../stores/studio.ts";

interface ExtractDialogProps {
  readonly studio: Studio;
  /** The two of which one was made from the other. */
  readonly models: readonly ModelCard[];
  readonly onClose: () => void;
}

/** Dialog that asks which of two models is the base, and for the settings of an extraction. */
export function ExtractDialog({ studio, models, onClose }: ExtractDialogProps) {
  return (
    <Modal
      opened
      onClose={onClose}
      title="Extract a LoRA"
      size="md"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <ExtractForm studio={studio} models={models} onClose={onClose} />
    </Modal>
  );
}

function ExtractForm({ studio, models, onClose }: ExtractDialogProps) {
  const [chosen, setChosen] = useState<ModelId | null>(null);
  const [settings, setSettings] = useState<ExtractionSettings>(EXTRACTION_DEFAULTS);
  useEffect(() => {
    let current = true;
    void guessOriginal(studio, models).then((guess) => {
      if (current) setChosen((before) => before ?? guess ?? null);
    });
    return () => {
      current = false;
    };
  }, [studio, models]);
  const base = models.find(({ id }) => id === chosen);
  const model = models.find(({ id }) => id !== chosen);
  const start = () => {
    if (!base || !model) return;
    onClose();
    void startExtraction(studio, { base, model, settings });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        start();
      }}
    >
      <Select
        label="Base"
        description={
          base && model
            ? `The adapter holds what ${model.name} has learned beyond it.`
            : "Looking at the weights…"
        }
        data={models.map(({ id, name }) => ({ value: id, label: name }))}
        value={chosen}
        allowDeselect={false}
        onChange={setChosen}
        data-autofocus
      />
      <FieldList
        table={EXTRACTION_SETTINGS}
        settings={settings}
        usual={EXTRACTION_DEFAULTS}
        more="More settings"
        onChange={(key, next) => setSettings((before) => ({ ...before, [key]: next }))}
      />
      <div className="row dialog-verbs">
        <Button onClick={onClose}>Not now</Button>
        <Button type="submit" variant="filled" disabled={!base || !model}>
          Extract
        </Button>
      </div>
    </form>
  );
}
