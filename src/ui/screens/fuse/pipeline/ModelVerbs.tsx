import { ActionIcon, Menu } from "@mantine/core";
import { useStore } from "zustand";
import type { ReportedModel } from "../../../../engine/contract/index.ts";
import { Icon } from "../../../parts/Icon.tsx";
import { exportModel } from "../../../stores/actions.ts";
import { compareModels, evaluateModels, openMerge } from "../../../stores/pipelineResults.ts";
import type { Studio } from "../../../stores/studio.ts";

interface ModelVerbsProps {
  readonly studio: Studio;
  readonly model: ReportedModel;
  readonly pivot: ReportedModel | undefined;
}

/** Commands for a model of the report, while the library has it. */
export function ModelVerbs({ studio, model, pivot }: ModelVerbsProps) {
  const models = useStore(studio.library, (state) => state.models) ?? [];
  const find = (name: string | undefined) =>
    models.find((card) => card.name === name && card.state === "complete")?.id;
  const id = find(model.name);
  if (id === undefined) return <span className="small faint">deleted</span>;
  const beside = find(pivot?.name);
  const both = beside === undefined || beside === id ? [id] : [beside, id];
  const { about, role } = model;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label={`Actions for ${model.name}`}>
          <Icon name="more" size={17} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => compareModels(studio, both)}>
          {both.length > 1 ? "Try beside the pivot" : "Try in the Playground"}
        </Menu.Item>
        <Menu.Item onClick={() => evaluateModels(studio, both)}>Evaluate…</Menu.Item>
        {role === "merge" && about !== null && (
          <Menu.Item onClick={() => void openMerge(studio, about)}>Open in Merge</Menu.Item>
        )}
        <Menu.Item onClick={() => void exportModel(studio, id)}>Export…</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
