import { Button, NumberInput } from "@mantine/core";
import { useState } from "react";
import { useStore } from "zustand";
import { DEFAULT_SAMPLING, DEFAULT_TOKENS } from "../../stores/playgroundStore.ts";
import type { Studio } from "../../stores/studio.ts";

const FIELDS = [
  {
    key: "temperature",
    label: "Temperature",
    help: "0 always takes the likeliest token",
    max: 5,
    step: 0.1,
  },
  {
    key: "topK",
    label: "Top-k",
    help: "Only the k likeliest tokens; 0 is all",
    max: 1_000_000,
    step: 1,
  },
  {
    key: "topP",
    label: "Top-p",
    help: "Only the likeliest that together reach p; 1 is all",
    max: 1,
    step: 0.05,
  },
  {
    key: "minP",
    label: "Min-p",
    help: "Only tokens at least this share as likely as the likeliest",
    max: 1,
    step: 0.05,
  },
  {
    key: "repetitionPenalty",
    label: "Repetition",
    help: "Above 1, tokens that already stand there become less likely",
    min: 0.1,
    max: 5,
    step: 0.05,
  },
  {
    key: "seed",
    label: "Seed",
    help: "The same seed draws the same text",
    max: 4_294_967_295,
    step: 1,
  },
] as const;
/** Smallest window width, in pixels, with room for the settings beside the columns. */
const OPEN_WIDE = 721;
/** Largest number of tokens to generate. */
const MOST_TOKENS = 8192;

/** Sampling settings, the same for every column. */
export function SamplingPanel({ studio }: { readonly studio: Studio }) {
  const sampling = useStore(studio.playground, (state) => state.sampling);
  const maxTokens = useStore(studio.playground, (state) => state.maxTokens);
  const [open] = useState(() => OPEN_WIDE <= window.innerWidth); // from then on it is the person's
  const { setState } = studio.playground;
  const changed =
    maxTokens !== DEFAULT_TOKENS ||
    FIELDS.some(({ key }) => sampling[key] !== DEFAULT_SAMPLING[key]);
  return (
    <details className="fold sampling-fold" open={open}>
      <summary>
        <h2 className="section-title">Sampling</h2>
        <span className="small faint num">{changed ? "changed" : "as usual"}</span>
      </summary>
      <div className="sampling">
        <NumberInput
          label="Tokens"
          title="How many tokens at most"
          size="xs"
          min={1}
          max={MOST_TOKENS}
          allowDecimal={false}
          value={maxTokens}
          onChange={(next) => typeof next === "number" && setState({ maxTokens: next })}
        />
        {FIELDS.map(({ key, label, help, max, step, ...rest }) => (
          <NumberInput
            key={key}
            label={label}
            title={help}
            size="xs"
            min={"min" in rest ? rest.min : 0}
            max={max}
            step={step}
            clampBehavior="strict"
            allowDecimal={!Number.isInteger(step)}
            value={sampling[key]}
            onChange={(next) =>
              typeof next === "number" && setState({ sampling: { ...sampling, [key]: next } })
            }
          />
        ))}
        <Button
          className="sampling-reset"
          size="xs"
          disabled={!changed}
          onClick={() => setState({ sampling: DEFAULT_SAMPLING, maxTokens: DEFAULT_TOKENS })}
        >
          Reset
        </Button>
      </div>
    </details>
  );
}
