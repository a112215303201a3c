import { Button, Modal, NumberInput, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { ADAPTER_METHODS, type ModelCard, toFailure } from "../../../engine/contract/index.ts";
import { Note } from "../../parts/Note.tsx";
import { begin } from "../../stores/actions.ts";
import { sharedStem, suggestName } from "../../stores/compatible.ts";
import type { Studio } from "../../stores/studio.ts";

interface AdapterMergeProps {
  readonly studio: Studio;
  readonly adapters: readonly ModelCard[];
  /** Names of the library. */
  readonly taken: readonly string[];
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** Dialog that merges adapters into one. */
export function AdapterMerge({ opened, ...props }: AdapterMergeProps) {
  return (
    <Modal
      opened={opened}
      onClose={props.onClose}
      title="Merge these adapters"
      closeButtonProps={{ "aria-label": "Close" }}
      size="sm"
    >
      <AdapterForm {...props} />
    </Modal>
  );
}

function AdapterForm({ studio, adapters, taken, onClose }: Omit<AdapterMergeProps, "opened">) {
  const stem = sharedStem(adapters.map(({ name }) => name)) || "adapters";
  const [name, setName] = useState(suggestName(`${stem}-merged`, taken));
  const [method, setMethod] = useState("cat");
  const [density, setDensity] = useState(1);
  const [weights, setWeights] = useState<readonly number[]>(adapters.map(() => 1));
  const [problem, setProblem] = useState<string | null>(null);
  const chosen = ADAPTER_METHODS.find(({ id }) => id === method);
  const merge = async () => {
    try {
      await begin(studio, {
        kind: "merge-adapters",
        name: name.trim(),
        adapters: adapters.map(({ id }, i) => ({ model: id, weight: weights[i] ?? 1 })),
        method,
        density: chosen?.rule === "linear" ? 1 : density,
        rank: null,
        seed: 0,
        vote: "total",
      });
      studio.desk.setState({ selected: [] });
      onClose();
    } catch (error) {
      setProblem(toFailure(error).message);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void merge();
      }}
    >
      <Select
        label="Method"
        description="cat adds them exactly. PEFT's rules on A and B need equal ranks; with _core or _knots any ranks will do."
        data={ADAPTER_METHODS.map(({ id }) => id)}
        value={method}
        allowDeselect={false}
        data-autofocus
        onChange={(id) => setMethod(id ?? "cat")}
      />
      {adapters.map(({ id, name: adapter }, at) => (
        <NumberInput
          key={id}
          label={`Weight of ${adapter}`}
          value={weights[at] ?? 1}
          step={0.1}
          onChange={(value) =>
            setWeights(weights.map((own, i) => (i === at ? Number(value) : own)))
          }
        />
      ))}
      {chosen?.rule !== "linear" && (
        <NumberInput
          label="Density"
          description="Share of the elements that is kept."
          value={density}
          min={0}
          max={1}
          step={0.1}
          onChange={(value) => setDensity(Number(value))}
        />
      )}
      <TextInput
        label="Name"
        value={name}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
      />
      {problem && (
        <Note tone="error" title="Cannot be merged." role="alert">
          {problem}
        </Note>
      )}
      <div className="row" style={{ justifyContent: "flex-end", marginTop: 16 }}>
        <Button onClick={onClose}>Not now</Button>
        <Button type="submit" variant="filled" disabled={name.trim() === ""}>
          Merge
        </Button>
      </div>
    </form>
  );
}
