import { useEffect } from "react";
import { useStore } from "zustand";
import type { FusionCard } from "../../../engine/contract/index.ts";
import { Empty } from "../../parts/Empty.tsx";
import { Note } from "../../parts/Note.tsx";
import { openDocument } from "../../stores/fusionReading.ts";
import type { Studio } from "../../stores/studio.ts";
import { AlignmentPanel } from "./AlignmentPanel.tsx";
import { DocumentList } from "./DocumentList.tsx";

interface DocumentsPanelProps {
  readonly studio: Studio;
  readonly card: FusionCard;
}

/** Documents of a fused dataset, and one of them token by token. */
export function DocumentsPanel({ studio, card }: DocumentsPanelProps) {
  const { reading, document, opened, failure } = useStore(studio.fusion);
  const own = reading === card.id;
  const empty = card.documents === 0;
  useEffect(() => {
    const { reading: now, opened: asked } = studio.fusion.getState();
    if (!empty && (now !== card.id || asked === null)) void openDocument(studio, card.id, 0);
  }, [studio, card.id, empty]);
  if (empty) {
    return (
      <div className="fuse-middle fuse-whole">
        <Empty title="No document">
          <p>Nothing of the datasets could be used; “Left out” on the other tab says why.</p>
        </Empty>
      </div>
    );
  }
  const there = own && document !== null;
  return (
    <>
      <aside className="fuse-left fuse-documents" aria-label="Documents of the fused dataset">
        <DocumentList studio={studio} card={card} />
      </aside>
      <div className="fuse-middle fuse-document" aria-busy={document?.index !== opened}>
        {own && failure && (
          <Note tone="error" title="It could not be read." code={failure.code} role="alert">
            {failure.message}
          </Note>
        )}
        {there && (
          <AlignmentPanel key={document.index} studio={studio} card={card} document={document} />
        )}
        {!there && !failure && <p className="small muted">Opening the document…</p>}
      </div>
    </>
  );
}
