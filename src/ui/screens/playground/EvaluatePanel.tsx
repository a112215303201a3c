import { Button, Checkbox, NumberInput, Select, Switch } from "@mantine/core";
import { useStore } from "zustand";
import { FEWEST_ROWS } from "../../../engine/contract/index.ts";
import { Section } from "../../parts/Section.tsx";
import { COMMANDS } from "../../stores/commands.ts";
import { evaluateBlocked, evaluationParts, startEvaluation } from "../../stores/datasets.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatCount } from "../../theme/format.ts";
import { EvaluationView } from "./EvaluationView.tsx";
import { ModelPicker } from "./ModelPicker.tsx";

/** Largest number of rows that the engine scores. */
const MOST_ROWS = 10_000;

function toggled(list: readonly string[], id: string): readonly string[] {
  return list.includes(id) ? list.filter((one) => one !== id) : [...list, id];
}

/** Form of an evaluation, and its table. */
export function EvaluatePanel({ studio }: { readonly studio: Studio }) {
  const { models, datasets } = useStore(studio.library);
  const state = useStore(studio.playground);
  useStore(studio.jobs);
  useStore(studio.environment);
  const parts = evaluationParts(state, models ?? [], datasets ?? []);
  const blocked = evaluateBlocked(studio);
  const { draft } = studio.playground;
  return (
    <>
      <aside className="play-left" aria-label="Models and datasets">
        <Section title="Models">
          <ModelPicker
            studio={studio}
            label="Models to evaluate"
            chosen={parts.models}
            full={null}
            // From all models, as some may not be described yet.
            onToggle={(model) =>
              draft({
                models: toggled(state.draft.models ?? models?.map(({ id }) => id) ?? [], model),
              })
            }
          />
        </Section>
        <Section title="Datasets">
          {datasets?.length === 0 && (
            <div className="picks-empty">
              <p className="small muted">
                None yet. Drop JSONL, JSON, CSV, Parquet or text files anywhere, or start with ours.
              </p>
              <Button
                size="xs"
                disabled={COMMANDS.sampleTexts.blocked(studio) !== null}
                onClick={() => COMMANDS.sampleTexts.run(studio)}
              >
                {COMMANDS.sampleTexts.label}
              </Button>
            </div>
          )}
          <ul className="picks" aria-label="Datasets to evaluate on">
            {datasets?.map(({ id, name, kind, rows }) => (
              <li key={id}>
                <Checkbox
                  size="xs"
                  checked={parts.datasets.includes(id)}
                  onChange={() => draft({ datasets: toggled(parts.datasets, id) })}
                  label={name}
                  description={`${kind} · ${formatCount(rows)} ${rows === 1 ? "row" : "rows"}`}
                />
              </li>
            ))}
          </ul>
        </Section>
        <Section title="Table">
          <Select
            label="Compare the others with"
            size="xs"
            data={parts.models.map((id) => ({
              value: id,
              label: models?.find((model) => model.id === id)?.name ?? id,
            }))}
            value={parts.models[0] ?? null}
            allowDeselect={false}
            disabled={parts.models.length < 2}
            onChange={(reference) => draft({ reference })}
          />
          <NumberInput
            mt={8}
            label="Rows of each dataset, at most"
            description={
              state.draft.rows < FEWEST_ROWS
                ? `Too few for an interval: that takes ${FEWEST_ROWS} rows.`
                : undefined
            }
            size="xs"
            min={1}
            max={MOST_ROWS}
            allowDecimal={false}
            value={state.draft.rows}
            onChange={(rows) => typeof rows === "number" && draft({ rows })}
          />
          {datasets?.some(({ id, kind }) => kind !== "text" && parts.datasets.includes(id)) && (
            <Switch
              mt={12}
              size="xs"
              label="System text into the first question"
              description="For chat templates that take no system role."
              checked={state.draft.systemIntoUser}
              onChange={({ currentTarget }) => draft({ systemIntoUser: currentTarget.checked })}
            />
          )}
        </Section>
        <div className="play-start">
          <Button
            variant="filled"
            fullWidth
            disabled={blocked !== null}
            onClick={() => startEvaluation(studio)}
          >
            Start the evaluation
          </Button>
          <p className="small muted" role="status">
            {blocked}
          </p>
        </div>
      </aside>
      <EvaluationView studio={studio} />
    </>
  );
}
