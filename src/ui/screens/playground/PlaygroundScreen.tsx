import { Button, Tabs } from "@mantine/core";
import { useEffect } from "react";
import { useStore } from "zustand";
import { Empty } from "../../parts/Empty.tsx";
import { Note } from "../../parts/Note.tsx";
import { COMMANDS } from "../../stores/commands.ts";
import { describeModels } from "../../stores/playgroundActions.ts";
import type { Studio } from "../../stores/studio.ts";
import { EvaluatePanel } from "./EvaluatePanel.tsx";
import { TryPanel } from "./TryPanel.tsx";
import "./playground.css";

/** Playground screen: models answer side by side, or are scored on texts. */
export function PlaygroundScreen({ studio }: { readonly studio: Studio }) {
  const models = useStore(studio.library, (state) => state.models);
  const gpu = useStore(studio.environment, (state) => state.environment?.gpu);
  const tab = useStore(studio.playground, (state) => state.tab);
  useEffect(() => {
    // The budget decides which models stream their layers.
    if (models && gpu) void describeModels(studio);
  }, [studio, models, gpu]);
  if (models === null) return <div className="play" aria-busy="true" />;
  if (models.length === 0) {
    return (
      <div className="play-empty">
        <Empty title="No models yet">
          <p>Here the models of your library answer side by side and are measured on texts.</p>
          <Button variant="filled" onClick={() => COMMANDS.trySamples.run(studio)}>
            {COMMANDS.trySamples.label}
          </Button>
          <Button onClick={() => COMMANDS.addFolder.run()}>{COMMANDS.addFolder.label}</Button>
        </Empty>
      </div>
    );
  }
  return (
    <Tabs
      className="play"
      value={tab}
      keepMounted={false}
      onChange={(next) =>
        studio.playground.setState({ tab: next === "evaluate" ? "evaluate" : "try" })
      }
    >
      <Tabs.List className="screen-tabs" aria-label="What to do with the models">
        <Tabs.Tab value="try">Side by side</Tabs.Tab>
        <Tabs.Tab value="evaluate">Evaluate</Tabs.Tab>
      </Tabs.List>
      {gpu && !gpu.available && (
        <Note tone="warning" title="No GPU to run models on." code={gpu.failure.code}>
          {gpu.failure.message}
        </Note>
      )}
      <Tabs.Panel value="try" className="play-panel">
        <TryPanel studio={studio} />
      </Tabs.Panel>
      <Tabs.Panel value="evaluate" className="play-panel">
        <EvaluatePanel studio={studio} />
      </Tabs.Panel>
    </Tabs>
  );
}
