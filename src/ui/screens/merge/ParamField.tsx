import { NumberInput, SegmentedControl, Select, Slider, Switch, TagsInput } from "@mantine/core";
import type { ParamCard, ParameterCurve, Setting } from "../../../engine/contract/index.ts";
import { ParameterLines } from "../../plots/ParameterLines.tsx";

interface ParamFieldProps {
  readonly param: ParamCard;
  readonly value: Setting | undefined;
  /** Whose parameter it is, for a screen reader, where that is not plain. */
  readonly owner?: string;
  /** Its values over the layers, where it depends on layer or tensor. */
  readonly curves?: readonly ParameterCurve[];
  /** Undefined takes the value out of the recipe, so that the default holds. */
  readonly onChange: (value: Setting | undefined) => void;
}

/** What fits side by side in the column; more become a list. */
const MOST_LETTERS = 26;

/** One parameter of a method, drawn from its card: a new method needs no new form. */
export function ParamField({ param, value, owner, curves = [], onChange }: ParamFieldProps) {
  const label = owner ? `${param.label} of ${owner}` : param.label;
  const set = (next: Setting) => onChange(next === param.default ? undefined : next);
  if (value !== undefined && !isSimple(param, value)) {
    return (
      <div className="field field-wide" title={param.help}>
        <div className="row spread">
          <span>{param.label}</span>
          <span className="mono faint">by layer or tensor</span>
        </div>
        {curves.length > 0 && <ParameterLines label={label} curves={curves} />}
      </div>
    );
  }
  switch (param.kind) {
    case "number":
      return (
        <NumberField param={param} label={label} value={value as number | undefined} onSet={set} />
      );
    case "boolean":
      return (
        <div className="field" title={param.help}>
          <span aria-hidden="true">{param.label}</span>
          <Switch
            aria-label={label}
            checked={(value as boolean | undefined) ?? param.default}
            onChange={({ currentTarget }) => set(currentTarget.checked)}
          />
        </div>
      );
    case "choice": {
      const chosen = String(value ?? param.default);
      const letters = param.options.join("").length;
      const many = letters > MOST_LETTERS || !param.options.includes(chosen);
      const wide = letters > 19;
      const data = [...new Set([...param.options, chosen])];
      return (
        <div className={wide && !many ? "field field-wide" : "field"} title={param.help}>
          <span aria-hidden="true">{param.label}</span>
          {many ? (
            <Select
              aria-label={label}
              data={data}
              value={chosen}
              allowDeselect={false}
              size="xs"
              w={130}
              onChange={(next) => next !== null && set(next)}
            />
          ) : (
            <SegmentedControl
              aria-label={label}
              data={data}
              value={chosen}
              size="xs"
              onChange={set}
            />
          )}
        </div>
      );
    }
    case "patterns": {
      const patterns = (value ?? param.default) as readonly string[];
      return (
        <div className="field" title={param.help}>
          <span aria-hidden="true">{param.label}</span>
          <TagsInput
            aria-label={label}
            size="xs"
            w={168}
            value={[...patterns]}
            placeholder={patterns.length === 0 ? "every tensor" : ""}
            onChange={(next) => onChange(next.length === 0 ? undefined : next)}
          />
        </div>
      );
    }
    default:
      return param satisfies never;
  }
}

/** False for a gradient or a list of filters: the form cannot show those, the recipe's text can. */
function isSimple(param: ParamCard, value: Setting): boolean {
  if (param.kind === "patterns") {
    return Array.isArray(value) && value.every((entry) => typeof entry === "string");
  }
  return param.kind === "choice" ? typeof value === "string" : typeof value === param.kind;
}

interface NumberFieldProps {
  readonly param: ParamCard & { readonly kind: "number" };
  readonly label: string;
  readonly value: number | undefined;
  readonly onSet: (value: number) => void;
}

function NumberField({ param, label, value, onSet }: NumberFieldProps) {
  const shown = value ?? param.default ?? "";
  const reached = typeof shown === "number" ? shown : param.min;
  return (
    <div className="field field-number" title={param.help}>
      <span aria-hidden="true">{param.label}</span>
      <Slider
        thumbLabel={`${label}, slider`}
        min={param.min}
        max={param.max}
        step={param.step}
        label={null}
        size="xs"
        value={Math.min(param.max, Math.max(param.min, reached))}
        onChange={onSet}
      />
      <NumberInput
        aria-label={label}
        size="xs"
        w={74}
        step={param.step}
        value={shown}
        hideControls
        error={param.required && shown === ""}
        onChange={(next) => typeof next === "number" && onSet(next)}
      />
    </div>
  );
}
