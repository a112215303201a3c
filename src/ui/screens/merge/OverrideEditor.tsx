import { Button, NumberInput, Slider } from "@mantine/core";
import { useState } from "react";
import type { MapLegend } from "../../plots/mapLayout.ts";
import { moveShare } from "../../stores/override.ts";
import { formatShare } from "../../theme/format.ts";

interface OverrideEditorProps {
  readonly shares: readonly number[];
  readonly legend: MapLegend;
  readonly onApply: (shares: readonly number[]) => void;
  readonly onClose: () => void;
}

const SUM_OF_ONE = 1e-4;

/** Shares by hand. Those that sum to 1 keep doing so: the others give or take in proportion. */
export function OverrideEditor({ shares, legend, onApply, onClose }: OverrideEditorProps) {
  const [values, setValues] = useState(shares);
  const sum = values.reduce((total, value) => total + value, 0);
  const [tied, setTied] = useState(Math.abs(sum - 1) <= SUM_OF_ONE && shares.length > 1);
  const move = (index: number, share: number) => {
    const moved = tied
      ? moveShare(values, index, share)
      : values.map((value, at) => (at === index ? share : value));
    setValues(moved.map((value) => Number(value.toFixed(6))));
  };
  const level = () => {
    const even = Math.abs(sum) < 1e-9;
    setValues(values.map((value) => Number((even ? 1 / values.length : value / sum).toFixed(6))));
    setTied(values.length > 1);
  };
  return (
    <div className="override">
      {values.map((value, index) => (
        <div className="override-row" key={`${legend.names[index]} ${legend.colours[index]}`}>
          <span className="ellipsis">
            <i className="swatch" style={{ background: legend.colours[index] }} />{" "}
            {legend.names[index]}
          </span>
          <Slider
            thumbLabel={`Share of ${legend.names[index]}, slider`}
            min={0}
            max={1}
            step={0.001}
            label={null}
            size="sm"
            value={Math.min(1, Math.max(0, value))}
            onChange={(next) => move(index, next)}
            styles={{ bar: { background: legend.colours[index] ?? "" } }}
          />
          <NumberInput
            aria-label={`Share of ${legend.names[index]}`}
            size="xs"
            w={76}
            step={0.01}
            decimalScale={4}
            hideControls
            value={value}
            onChange={(next) => typeof next === "number" && next !== value && move(index, next)}
          />
        </div>
      ))}
      <p className="small muted num">
        Sum {formatShare(sum)}
        {legend.base !== null && ` · ${legend.base} ${formatShare(1 - sum)}`}{" "}
        {!tied && (
          <button type="button" className="link" onClick={level}>
            make it 1
          </button>
        )}
      </p>
      <div className="row cell-verbs">
        <Button variant="filled" onClick={() => onApply(values)}>
          Apply
        </Button>
        <Button onClick={onClose}>Discard</Button>
      </div>
    </div>
  );
}
