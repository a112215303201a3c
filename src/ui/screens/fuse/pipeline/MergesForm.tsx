import { Checkbox, NumberInput } from "@mantine/core";
import { useStore } from "zustand";
import { Section } from "../../../parts/Section.tsx";
import { wantedMerges } from "../../../stores/pipelineActions.ts";
import type { Studio } from "../../../stores/studio.ts";

/** Form of the merges, and of the tokens to evaluate on. */
export function MergesForm({ studio }: { readonly studio: Studio }) {
  const { merges, draft } = useStore(studio.pipeline);
  const wanted = wantedMerges(studio).map(({ name }) => name);
  const toggle = (name: string) =>
    studio.pipeline.draft({
      merges: wanted.includes(name) ? wanted.filter((each) => each !== name) : [...wanted, name],
    });
  return (
    <Section title="Merges and evaluation">
      <ul className="picks" aria-label="Merges">
        {merges.map(({ name }) => (
          <li key={name}>
            <Checkbox
              size="xs"
              label={<span className="mono">{name}</span>}
              checked={wanted.includes(name)}
              onChange={() => toggle(name)}
            />
          </li>
        ))}
      </ul>
      <div className="settings">
        <Checkbox
          size="xs"
          label="Fine-tune without sources too"
          description="The same tokens with λ = 1, so that it can be told what the sources are good for."
          checked={draft.plain}
          onChange={({ currentTarget }) => studio.pipeline.draft({ plain: currentTarget.checked })}
        />
        <NumberInput
          label="Evaluation tokens"
          description="Every model is scored on rows of so many tokens, which no training reads."
          size="xs"
          min={1}
          max={10_000_000}
          step={256}
          clampBehavior="strict"
          value={draft.evaluationTokens}
          onChange={(next) =>
            typeof next === "number" &&
            next >= 1 &&
            studio.pipeline.draft({ evaluationTokens: next })
          }
        />
      </div>
    </Section>
  );
}
