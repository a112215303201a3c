import { Button, Checkbox, Select } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useStore } from "zustand";
import { Section } from "../../parts/Section.tsx";
import { COMMANDS } from "../../stores/commands.ts";
import { isCompatible, isModel } from "../../stores/compatible.ts";
import { fusionParts } from "../../stores/fusionActions.ts";
import { whyMute } from "../../stores/playgroundActions.ts";
import type { Studio } from "../../stores/studio.ts";
import { BASE_COLOUR, memberColour } from "../../theme/colours.ts";
import { formatArchitecture, formatCount, formatQuantity } from "../../theme/format.ts";
import { SettingsForm } from "./SettingsForm.tsx";

const toggled = (list: readonly string[], id: string) =>
  list.includes(id) ? list.filter((one) => one !== id) : [...list, id];

interface SetupPanelProps {
  readonly studio: Studio;
  /** Content below the rules. */
  readonly children?: ReactNode;
}

/** Form of a fusion: models, datasets and rules. */
export function SetupPanel({ studio, children }: SetupPanelProps) {
  useStore(studio.fusion, (state) => state.draft);
  return (
    <aside className="fuse-left" aria-label="What to fuse">
      <PivotSection studio={studio} />
      <SourcesSection studio={studio} />
      <DatasetsSection studio={studio} />
      <SettingsForm studio={studio} />
      {children}
    </aside>
  );
}

interface SectionProps {
  readonly studio: Studio;
}

function useModels(studio: Studio) {
  const models = useStore(studio.library, (state) => state.models) ?? [];
  const cards = useStore(studio.playground, (state) => state.cards);
  return models.filter(isModel).map((model) => ({ ...model, why: whyMute(cards[model.id]) }));
}

function PivotSection({ studio }: SectionProps) {
  const models = useModels(studio);
  const { pivot } = fusionParts(studio);
  return (
    <Section title="Pivot">
      <Select
        aria-label="Pivot"
        description="The model that learns. What is fused speaks its tokens."
        leftSection={<i className="swatch" style={{ background: BASE_COLOUR }} />}
        data={models.map(({ id, name, why }) => ({
          value: id,
          label: name,
          disabled: why !== null,
        }))}
        value={pivot?.id ?? null}
        placeholder="No model can read here"
        allowDeselect={false}
        comboboxProps={{ withinPortal: true }}
        onChange={(id) => id && studio.fusion.draft({ pivot: id })}
      />
    </Section>
  );
}

/**
 * Number of models with the pivot's shape that are shown; more are collapsed, since they have
 * little to teach it.
 */
const FEW_ALIKE = 3;

function SourcesSection({ studio }: SectionProps) {
  const models = useModels(studio);
  const { pivot, sources } = fusionParts(studio);
  const chosen = sources.map(({ id }) => id);
  const others = models.filter(({ id }) => id !== pivot?.id || chosen.includes(id));
  const alike = others.filter((model) => pivot !== null && isCompatible(model, pivot));
  const folded = alike.length > FEW_ALIKE ? alike : [];
  const [open] = useState(() => folded.some(({ id }) => chosen.includes(id)));
  const pick = (model: (typeof models)[number]) => (
    <SourcePick
      key={model.id}
      studio={studio}
      model={model}
      chosen={chosen}
      isPivot={model.id === pivot?.id}
    />
  );
  return (
    <Section title="Sources">
      {others.length === 0 && (
        <p className="small muted">
          No other model is here. Drop a checkpoint folder anywhere, of any architecture.
        </p>
      )}
      <ul className="picks" aria-label="Sources">
        {others.filter((model) => !folded.includes(model)).map(pick)}
      </ul>
      {folded.length > 0 && (
        <details className="fold" open={open}>
          <summary>
            <span className="small">Of the pivot’s own shape</span>
            <span className="small faint num">{formatCount(folded.length)}</span>
          </summary>
          <ul className="picks" aria-label="Sources of the pivot’s own shape">
            {folded.map(pick)}
          </ul>
        </details>
      )}
    </Section>
  );
}

interface SourcePickProps extends SectionProps {
  readonly model: ReturnType<typeof useModels>[number];
  readonly chosen: readonly string[];
  readonly isPivot: boolean;
}

function SourcePick({ studio, model, chosen, isPivot }: SourcePickProps) {
  const { id, name, architecture, parameters, vocabSize, why } = model;
  const place = chosen.indexOf(id);
  const facts = [
    formatArchitecture(architecture),
    formatQuantity(parameters),
    ...(vocabSize === null ? [] : [`${formatCount(vocabSize)} tokens`]),
  ];
  return (
    <li className="pick">
      <Checkbox
        size="xs"
        checked={place >= 0}
        disabled={why !== null && place < 0}
        title={name}
        onChange={() => studio.fusion.draft({ sources: toggled(chosen, id) })}
        label={name}
        description={why ?? (isPivot ? "It is the pivot." : facts.join(" · "))}
      />
      {place >= 0 && <i className="swatch" style={{ background: memberColour(place + 1) }} />}
    </li>
  );
}

function DatasetsSection({ studio }: SectionProps) {
  const all = useStore(studio.library, (state) => state.datasets) ?? [];
  const busy = useStore(studio.jobs, () => COMMANDS.sampleTexts.blocked(studio) !== null);
  const chosen = fusionParts(studio).datasets.map(({ id }) => id);
  return (
    <Section title="Datasets">
      {all.length === 0 && (
        <div className="picks-empty">
          <p className="small muted">
            None yet. Drop JSONL, JSON, CSV, Parquet or text files anywhere, or start with ours.
          </p>
          <Button size="xs" disabled={busy} onClick={() => COMMANDS.sampleTexts.run(studio)}>
            {COMMANDS.sampleTexts.label}
          </Button>
        </div>
      )}
      <ul className="picks" aria-label="Datasets to read">
        {all.map(({ id, name, kind, rows }) => (
          <li key={id}>
            <Checkbox
              size="xs"
              checked={chosen.includes(id)}
              onChange={() => studio.fusion.draft({ datasets: toggled(chosen, id) })}
              label={name}
              description={`${kind} · ${formatCount(rows)} ${rows === 1 ? "row" : "rows"}`}
            />
          </li>
        ))}
      </ul>
    </Section>
  );
}
