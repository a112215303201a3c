import { Switch } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import { Section } from "../../parts/Section.tsx";
import { SurprisalLegend } from "../../plots/SurprisalLegend.tsx";
import { chosenModels, toggleColumn } from "../../stores/playgroundActions.ts";
import { MOST_COLUMNS } from "../../stores/playgroundStore.ts";
import type { Studio } from "../../stores/studio.ts";
import { Column } from "./Column.tsx";
import { ModelPicker } from "./ModelPicker.tsx";
import { PromptBar } from "./PromptBar.tsx";
import { SamplingPanel } from "./SamplingPanel.tsx";

/** The same prompt to several models, side by side. */
export function TryPanel({ studio }: { readonly studio: Studio }) {
  const models = useStore(studio.library, (state) => state.models) ?? [];
  const state = useStore(studio.playground);
  const shown = chosenModels(state, models);
  const columns = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // On a phone the columns are below the settings, and are scrolled into view.
    if (state.running) columns.current?.scrollIntoView({ block: "nearest" });
  }, [state.running]);
  const full = shown.length >= MOST_COLUMNS ? `At most ${MOST_COLUMNS} models at once.` : null;
  return (
    <>
      <aside className="play-left" aria-label="Models and sampling">
        <Section
          title="Models"
          aside={
            <span className="small faint num">
              {shown.length} of {MOST_COLUMNS}
            </span>
          }
        >
          <ModelPicker
            studio={studio}
            label="Models to ask"
            chosen={shown.map(({ id }) => id)}
            full={state.running ? "The models are answering." : full}
            onToggle={(model) => toggleColumn(studio, model)}
          />
        </Section>
        <SamplingPanel studio={studio} />
      </aside>
      <div className="play-middle">
        <div className="play-legend">
          <SurprisalLegend />
          <Switch
            size="xs"
            label="Numbers under tokens"
            checked={state.numbers}
            onChange={({ currentTarget }) =>
              studio.playground.setState({ numbers: currentTarget.checked })
            }
          />
        </div>
        {shown.length === 0 ? (
          <p className="muted">Choose up to {MOST_COLUMNS} models at the left.</p>
        ) : (
          <div className="columns" ref={columns}>
            {shown.map((model, index) => (
              <Column key={model.id} studio={studio} model={model} index={index} />
            ))}
          </div>
        )}
      </div>
      <PromptBar studio={studio} />
    </>
  );
}
