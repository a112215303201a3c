import { NumberInput } from "@mantine/core";
import { useState } from "react";

interface LayerFieldProps {
  readonly label: string;
  readonly layer: number;
  /** Number of the model's layers; null where it is not known. */
  readonly layers: number | null;
  readonly onSet: (layer: number) => void;
}

/** Number of a layer. It is taken with Enter or when the field is left, not digit by digit. */
export function LayerField({ label, layer, layers, onSet }: LayerFieldProps) {
  const [draft, setDraft] = useState<number | string>(layer);
  const [known, setKnown] = useState(layer);
  if (known !== layer) {
    setKnown(layer);
    setDraft(layer);
  }
  const take = () => {
    if (typeof draft === "number" && draft !== layer) onSet(draft);
    else setDraft(layer);
  };
  return (
    <NumberInput
      aria-label={label}
      size="xs"
      w={52}
      min={0}
      {...(layers === null ? {} : { max: layers - 1 })}
      allowDecimal={false}
      hideControls
      value={draft}
      onChange={setDraft}
      onBlur={take}
      onKeyDown={({ key }) => key === "Enter" && take()}
    />
  );
}
