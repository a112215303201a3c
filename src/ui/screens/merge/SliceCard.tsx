import { ActionIcon, Select } from "@mantine/core";
import { Fragment, type ReactNode, useState } from "react";
import type { RecipeSlice } from "../../../engine/contract/index.ts";
import { Icon } from "../../parts/Icon.tsx";
import { type Verb, VerbMenu } from "../../parts/VerbMenu.tsx";
import { formatLayers } from "../../theme/format.ts";
import { LayerField } from "./LayerField.tsx";
import { changeSource, removeSource, withEnd } from "./sliceEdits.ts";

interface SliceCardProps {
  /** DOM id, by which the picture leads here. */
  readonly id: string;
  readonly slice: RecipeSlice;
  /** Layers of the result: `16–31`. */
  readonly place: string;
  /** Models that can be chosen. */
  readonly names: readonly string[];
  readonly colours: readonly string[];
  readonly verbs: readonly Verb[];
  /** Whether it is folded at first: many slices are a list. */
  readonly folded: boolean;
  /** Number of a model's layers; null where it is not known. */
  layersOf(model: string): number | null;
  onChange(slice: RecipeSlice): void;
  /** The method's parameters of one source. */
  fields(source: number): ReactNode;
}

/** One slice of the result: the layers of each model that go into it. */
export function SliceCard(props: SliceCardProps) {
  const { id, slice, place, names, colours, verbs, folded, layersOf, onChange, fields } = props;
  const [open, setOpen] = useState(!folded);
  const title = `Layers ${place}`;
  const keys = slice.sources.map((_, i) => `source ${i}`); // the same model may stand here twice
  return (
    <fieldset
      className="panel slice"
      id={id}
      tabIndex={-1}
      aria-label={`${title} of the result`}
      onFocus={({ target, currentTarget }) => target === currentTarget && setOpen(true)}
    >
      <div className="row">
        <button
          type="button"
          className="slice-title num"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <b>{title}</b>
          {!open && (
            <span className="small muted">
              {slice.sources.map(({ layers }, i) => (
                <Fragment key={keys[i]}>
                  <i className="swatch" style={{ background: colours[i] }} /> {formatLayers(layers)}
                </Fragment>
              ))}
            </span>
          )}
        </button>
        <VerbMenu label={`Actions for layers ${place}`} verbs={verbs} />
      </div>
      {(open ? slice.sources : []).map(({ model, layers: range }, i) => {
        const layers = layersOf(model);
        const whose = `of ${model}, for ${title.toLowerCase()}`;
        const set = (which: "first" | "last") => (layer: number) =>
          onChange(changeSource(slice, i, { layers: withEnd(range, which, layer, layers) }));
        return (
          <div className="slice-source" key={keys[i]}>
            <div className="row">
              <i className="swatch" style={{ background: colours[i] }} />
              <Select
                className="grow"
                aria-label={`Model ${i + 1} of layers ${place}`}
                title={model}
                data={[...new Set([model, ...names])]}
                value={model}
                allowDeselect={false}
                size="xs"
                onChange={(name) => name && onChange(changeSource(slice, i, { model: name }))}
              />
              {slice.sources.length > 1 && (
                <ActionIcon
                  size="sm"
                  aria-label={`Remove ${model} from layers ${place}`}
                  onClick={() => onChange(removeSource(slice, i))}
                >
                  <Icon name="close" size={13} />
                </ActionIcon>
              )}
            </div>
            <div className="row slice-range num small">
              <span>its layers</span>
              <LayerField
                label={`First layer ${whose}`}
                layer={range[0]}
                layers={layers}
                onSet={set("first")}
              />
              <span>to</span>
              <LayerField
                label={`Last layer ${whose}`}
                layer={range[1] - 1}
                layers={layers}
                onSet={set("last")}
              />
              {layers !== null && (
                <span className="faint" title={`Layers ${formatLayers([0, layers])}`}>
                  of {layers}
                </span>
              )}
            </div>
            {fields(i)}
          </div>
        );
      })}
    </fieldset>
  );
}
