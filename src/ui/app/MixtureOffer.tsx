import { Button, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import { useStore } from "zustand";
import type { GateMode, MixtureExpert } from "../../engine/contract/index.ts";
import { Facts } from "../parts/Facts.tsx";
import { Note } from "../parts/Note.tsx";
import { makeMixture } from "../stores/recipeFile.ts";
import type { OfferedMixture, Studio } from "../stores/studio.ts";
import { formatBytes, formatQuantity } from "../theme/format.ts";

/** Shows what a dropped config of mergekit-moe will make, and makes it. */
export function MixtureOffer({ studio }: { readonly studio: Studio }) {
  const offered = useStore(studio.desk, (state) => state.offeredMixture);
  const close = () => studio.desk.setState({ offeredMixture: null });
  return (
    <Modal opened={offered !== null} onClose={close} title="Make this mixture of experts?">
      {offered && <MixtureForm studio={studio} offered={offered} onClose={close} />}
    </Modal>
  );
}

interface MixtureFormProps {
  readonly studio: Studio;
  readonly offered: OfferedMixture;
  readonly onClose: () => void;
}

/** Where the rows of the routers come from. */
const GATES: Readonly<Record<GateMode, string>> = {
  hidden: "from prompts, read by the base",
  hidden_last: "from prompts, read by the base",
  hidden_avg: "from prompts, read by the base (means)",
  cheap_embed: "from the prompts' embeddings",
  random: "at random: train them",
  uniform_random: "at random: train them",
};

function MixtureForm({ studio, offered, onClose }: MixtureFormProps) {
  const { name: file, plan } = offered;
  const [name, setName] = useState(file.replace(/^.*\/|\.ya?ml$/g, ""));
  const { config } = plan;
  const make = () => {
    onClose();
    void makeMixture(studio, offered, name.trim());
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        make();
      }}
    >
      <Facts
        rows={[
          ["Becomes", plan.architecture],
          ["Base", config.base],
          ...config.experts.map((expert, i) => [`Expert ${i}`, describe(expert)] as const),
          ...config.sharedExperts.map((expert) => ["Shared expert", describe(expert)] as const),
          ["Experts a token", `${config.expertsPerToken} of ${config.experts.length}`],
          ["Routers", GATES[config.gateMode]],
          ["Parameters", formatQuantity(plan.parameters)],
          ["Writes", formatBytes(plan.writeBytes)],
        ]}
      />
      {plan.notes.map((note) => (
        <Note key={note} tone="note">
          {note}
        </Note>
      ))}
      <TextInput
        label="Name of the result"
        value={name}
        data-autofocus
        mt={12}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
      />
      <div className="row" style={{ justifyContent: "flex-end", marginTop: 16 }}>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="filled" disabled={name.trim() === ""}>
          Make it
        </Button>
      </div>
    </form>
  );
}

function describe({ model, positivePrompts, negativePrompts }: MixtureExpert): string {
  const prompts = positivePrompts.length + negativePrompts.length;
  if (prompts === 0) return model;
  return `${model}, ${prompts === 1 ? "1 prompt" : `${prompts} prompts`}`;
}
