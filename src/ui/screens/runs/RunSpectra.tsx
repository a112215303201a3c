import { useEffect, useState } from "react";
import {
  type Extraction,
  type Failure,
  type ModelId,
  toFailure,
} from "../../../engine/contract/index.ts";
import { Note } from "../../parts/Note.tsx";
import { Spectra } from "../../plots/Spectra.tsx";
import type { Studio } from "../../stores/studio.ts";

interface RunSpectraProps {
  readonly studio: Studio;
  readonly model: ModelId;
}

/** Spectra of an extracted adapter's matrices, read when they are opened. */
export function RunSpectra({ studio, model }: RunSpectraProps) {
  const [open, setOpen] = useState(false);
  return (
    <details className="fold" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <span className="small">Spectra of the change</span>
      </summary>
      {open && <OpenSpectra studio={studio} model={model} />}
    </details>
  );
}

function OpenSpectra({ studio, model }: RunSpectraProps) {
  const [extraction, setExtraction] = useState<Extraction | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  useEffect(() => {
    let current = true;
    studio.engine.extraction(model).then(
      (read) => current && setExtraction(read),
      (error: unknown) => current && setFailure(toFailure(error)),
    );
    return () => {
      current = false;
    };
  }, [studio, model]);
  if (failure) {
    return (
      <Note tone="error" code={failure.code} role="alert">
        {failure.message}
      </Note>
    );
  }
  return extraction && <Spectra matrices={extraction.matrices} />;
}
