import { Button, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import {
  type ModelCard,
  namedModels,
  renameModels,
  toFailure,
} from "../../../engine/contract/index.ts";
import { refreshLibrary } from "../../stores/actions.ts";
import type { Studio } from "../../stores/studio.ts";

interface RenameDialogProps {
  readonly studio: Studio;
  readonly model: ModelCard;
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** Dialog that renames a model; the composed recipe, which names models, is updated. */
export function RenameDialog({ studio, model, opened, onClose }: RenameDialogProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Rename ${model.name}`} size="sm">
      <RenameForm studio={studio} model={model} onClose={onClose} />
    </Modal>
  );
}

function RenameForm({ studio, model, onClose }: Omit<RenameDialogProps, "opened">) {
  const [name, setName] = useState(model.name);
  const [problem, setProblem] = useState<string | null>(null);
  const rename = async () => {
    try {
      const renamed = await studio.engine.renameModel({ model: model.id, name: name.trim() });
      const { recipe } = studio.recipe.getState();
      const follow = (old: string) => (old === model.name ? renamed.name : old);
      if (namedModels(recipe).includes(model.name)) {
        studio.recipe.edit(renameModels(recipe, follow));
      }
      await refreshLibrary(studio);
      onClose();
    } catch (error) {
      setProblem(toFailure(error).message);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void rename();
      }}
    >
      <TextInput
        label="Name"
        value={name}
        error={problem}
        data-autofocus
        onChange={({ currentTarget }) => setName(currentTarget.value)}
      />
      <div className="row" style={{ justifyContent: "flex-end", marginTop: 16 }}>
        <Button onClick={onClose}>Keep</Button>
        <Button type="submit" variant="filled" disabled={name.trim() === ""}>
          Rename
        </Button>
      </div>
    </form>
  );
}
