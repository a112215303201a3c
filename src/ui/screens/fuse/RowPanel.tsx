import { useStore } from "zustand";
import type { AlignedToken, FusedRow, FusionCard } from "../../../engine/contract/index.ts";
import { DistributionTable } from "../../plots/DistributionTable.tsx";
import { barScale, distributionRows } from "../../plots/distributionRows.ts";
import type { Studio } from "../../stores/studio.ts";
import { memberColour } from "../../theme/colours.ts";
import { formatBits, formatPercent, formatShare } from "../../theme/format.ts";
import { nameToken } from "../../theme/tokenText.ts";
import { SCROLLS } from "./MemberTable.tsx";
import { OwnRows } from "./OwnRows.tsx";
import { rowWords } from "./rowWords.ts";

interface RowPanelProps {
  readonly studio: Studio;
  readonly card: FusionCard;
  /** Pivot token that the row comes after, or null. */
  readonly token: AlignedToken | null;
  readonly document: number;
  readonly row: number | null;
  /** Whether the user asked for this token; screen readers then announce the row. */
  readonly said: boolean;
}

/** Distributions of all members after a token, the fused one, and who decided. */
export function RowPanel({ studio, card, token, document, row, said }: RowPanelProps) {
  const last = useStore(studio.fusion, (state) => state.row);
  // The previous row stays until the next is loaded, so that the layout does not jump.
  const shown = row !== null && last?.document === document ? last : null;
  const words = shown ? rowWords(shown, card.settings) : [];
  const current = shown?.row === row;
  return (
    <section className="rowpanel" aria-label="Next token" aria-busy={row !== null && !current}>
      <h3 className="section-title">
        Next token after <span className="mono">{token ? nameToken(token.text) : "–"}</span>
      </h3>
      {row === null && (
        <p className="small muted">
          Nothing is learned here: what follows this token is not part of an answer, or the text
          ends.
        </p>
      )}
      {shown && (
        <div className="rowpanel-scroll">
          <p className="rowpanel-words">{words.join(" ")}</p>
          <Distributions row={shown} />
          <OwnRows row={shown} />
        </div>
      )}
      {row !== null && !shown && <p className="small muted">Reading the row…</p>}
      <p className="unseen" role="status">
        {said && current ? words.join(" ") : ""}
      </p>
    </section>
  );
}

function Distributions({ row }: { readonly row: FusedRow }) {
  const rows = distributionRows(row);
  const { members, fused, winner } = row;
  const tails = [...members.flatMap(({ aligned }) => aligned?.tail ?? []), fused.tail];
  const columns = [
    ...members.map((member, at) => ({
      key: `${at} ${member.model}`,
      colour: memberColour(at),
      tail: member.aligned?.tail ?? null,
      heading: <MemberHeading member={member} at={at} wins={at === winner} />,
    })),
    {
      key: "fused",
      colour: "var(--accent)",
      tail: fused.tail,
      heading: (
        <span className="distribution-head">
          <b className="distribution-name">fused</b>
          <span>what the pivot is to learn</span>
        </span>
      ),
    },
  ];
  const scale = barScale(rows, tails);
  return (
    <>
      <section className="distribution-scroll" {...SCROLLS} aria-label="Distributions">
        <DistributionTable
          label="Distributions over the pivot’s tokens"
          columns={columns}
          rows={rows}
          scale={scale}
        />
      </section>
      <p className="small faint num">
        Bars end at {formatPercent(scale)}. ▸ marks the token that follows; – was not among the
        entries kept.
      </p>
    </>
  );
}

interface MemberHeadingProps {
  readonly member: FusedRow["members"][number];
  readonly at: number;
  readonly wins: boolean;
}

function MemberHeading({ member, at, wins }: MemberHeadingProps) {
  const { model, reason, aligned, own, weight, metric } = member;
  const nats = aligned?.nats ?? own?.nats ?? null;
  return (
    <span className="distribution-head">
      <span className="member" title={model}>
        <i className="swatch" style={{ background: memberColour(at) }} />
        <b className="ellipsis distribution-name">{model}</b>
        {wins && <span className="teaches">teaches</span>}
      </span>
      <span>
        {nats === null ? "no evidence" : `${formatBits(nats, 2)} nats`}
        {reason !== null && ` · ${reason}`}
      </span>
      <span>
        weight {formatShare(weight)}
        {metric !== null && ` · metric ${formatBits(metric)}`}
      </span>
    </span>
  );
}
