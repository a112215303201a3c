import { type KeyboardEvent, type SyntheticEvent, useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import type { FusedDocumentCard, FusionCard } from "../../../engine/contract/index.ts";
import { loadDocuments, openDocument } from "../../stores/fusionReading.ts";
import { PAGE_DOCUMENTS } from "../../stores/fusionStore.ts";
import type { Studio } from "../../stores/studio.ts";
import { memberColour } from "../../theme/colours.ts";
import { formatCount, formatPercent } from "../../theme/format.ts";
import { listRoles, moveInList } from "./documentKeys.ts";

interface DocumentListProps {
  readonly studio: Studio;
  readonly card: FusionCard;
}

/** Height of an entry in pixels, as in fuse.css. */
const ROW = 74;
const SPARE = 6;

/** Virtualised list of all documents; only visible cards are loaded. */
export function DocumentList({ studio, card }: DocumentListProps) {
  const { reading, pages, opened, source } = useStore(studio.fusion);
  const root = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 700 });
  const [at, setAt] = useState(opened ?? 0);
  const count = card.documents;
  const active = Math.min(at, count - 1);
  const first = Math.max(0, Math.floor(view.top / ROW) - SPARE);
  const last = Math.min(count, Math.ceil((view.top + view.height) / ROW) + 1 + SPARE);
  useEffect(() => {
    void loadDocuments(studio, card.id, first, Math.max(first, last - 1));
  }, [studio, card.id, first, last]);
  const shown = Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index);
  if (!shown.includes(active)) shown.push(active); // Tab must lead to it
  shown.sort((a, b) => a - b);

  const move = (next: number) => {
    setAt(next);
    const list = root.current;
    if (!list) return;
    const page = list.clientHeight;
    if (next * ROW < list.scrollTop) list.scrollTop = next * ROW;
    else if ((next + 1) * ROW > list.scrollTop + page) list.scrollTop = (next + 1) * ROW - page;
  };
  const open = (index: number) => void openDocument(studio, card.id, index);
  useEffect(() => {
    const list = root.current;
    if (!list?.contains(document.activeElement)) return;
    list.querySelector<HTMLElement>(`[data-document="${active}"]`)?.focus({ preventScroll: true });
  }, [active]);
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      open(active);
      return;
    }
    const page = Math.max(1, Math.floor((root.current?.clientHeight ?? ROW) / ROW));
    const next = moveInList(event.key, active, count, page);
    if (next === null) return;
    event.preventDefault();
    move(next);
  };
  const listeners = {
    onKeyDown: press,
    onClick: ({ target }: SyntheticEvent) => {
      const entry = (target as Element).closest<HTMLElement>("[data-document]");
      if (!entry) return;
      const index = Number(entry.dataset.document);
      setAt(index);
      open(index);
    },
  };
  const cardAt = (index: number) =>
    reading === card.id
      ? pages[Math.floor(index / PAGE_DOCUMENTS)]?.[index % PAGE_DOCUMENTS]
      : undefined;
  return (
    <div
      ref={root}
      className="documents"
      {...listRoles.list("Documents")}
      {...listeners}
      onScroll={({ currentTarget: { scrollTop, clientHeight: height } }) => {
        const top = Math.floor(scrollTop / ROW) * ROW; // drawn anew entry by entry
        setView((before) =>
          before.top === top && before.height === height ? before : { top, height },
        );
      }}
    >
      <div {...listRoles.none} className="documents-all" style={{ height: count * ROW }}>
        {shown.map((index) => (
          <div
            key={index}
            {...listRoles.option(index, count, index === opened, index === active)}
            className="document"
            data-document={index}
            style={{ top: index * ROW }}
          >
            <Entry index={index} entry={cardAt(index)} card={card} source={source} />
          </div>
        ))}
      </div>
    </div>
  );
}

interface EntryProps {
  readonly index: number;
  readonly entry: FusedDocumentCard | undefined;
  readonly card: FusionCard;
  readonly source: number;
}

function Entry({ index, entry, card, source }: EntryProps) {
  if (!entry) {
    return <span className="faint small num">Text {formatCount(index + 1)}…</span>;
  }
  const { excerpt, rows, covered, winner, dataset, domain } = entry;
  const who = card.members[winner]?.model ?? "";
  const share = rows === 0 ? 0 : (covered[source] ?? 0) / rows;
  return (
    <>
      <span className="document-excerpt">{excerpt}</span>
      <span className="document-facts num">
        <span className="ellipsis" title={domain ?? dataset}>
          {formatCount(index + 1)} · {domain ?? dataset}
        </span>
        <span>
          {formatPercent(share)} <span className="faint">covered</span>
        </span>
        <span className="member" title={`${who} teaches most of it`}>
          <i className="swatch" style={{ background: memberColour(winner) }} />
          <span className="ellipsis">{winner === 0 ? "pivot" : who}</span>
          <span className="unseen"> teaches</span>
        </span>
      </span>
    </>
  );
}
