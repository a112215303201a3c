import type { FusedDocument, FusionCard, SourceAlignment } from "../../../engine/contract/index.ts";
import { Windowed } from "../../parts/Windowed.tsx";
import type { AlignedTexts } from "../../plots/AlignmentLine.tsx";
import { nameToken } from "../../theme/tokenText.ts";

interface AlignmentTableProps {
  readonly texts: AlignedTexts;
  readonly document: FusedDocument;
  readonly card: FusionCard;
  readonly only: (link: SourceAlignment["links"][number] | undefined) => boolean;
}

/** Table of the alignment: a row per pivot token. */
export function AlignmentTable({ texts, document, card, only }: AlignmentTableProps) {
  const { pivot, pivotName, source } = texts;
  const shown = pivot.map((_, index) => index).filter((index) => only(source.links[index]));
  const name = (index: number) => nameToken(source.tokens[index]?.text ?? "");
  return (
    <div className="alignment-table">
      <Windowed
        label={`Alignment of ${pivotName} and ${source.model}`}
        count={shown.length}
        rowHeight={28}
        height="100%"
        columns={["Token", "Tokens of the source", "Reason", "Row of", "Byte offsets", "Teacher"]}
        row={(at) => {
          const index = shown[at] ?? 0;
          const link = source.links[index];
          const row = document.rowOf[index] ?? null;
          const winner = row === null ? undefined : card.members[document.winners[row] ?? 0];
          return [
            <span key="token" className="mono">
              {nameToken(pivot[index]?.text ?? "")}
            </span>,
            <span key="group" className="mono">
              {link?.group.map(name).join("  ")}
            </span>,
            link?.reason ?? (
              <span className="faint">{row === null ? "not learned" : "not told"}</span>
            ),
            <span key="row" className="mono">
              {link?.from == null ? "–" : name(link.from)}
            </span>,
            <span key="offset" className="mono">
              {link?.sameEnd == null ? "–" : name(link.sameEnd)}
              {link && link.reason !== null && link.sameEnd !== link.from && " ≠"}
            </span>,
            winner?.model ?? "",
          ];
        }}
      />
    </div>
  );
}
