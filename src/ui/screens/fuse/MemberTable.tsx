import type { FusionMember } from "../../../engine/contract/index.ts";
import { memberColour } from "../../theme/colours.ts";
import { formatBits, formatCount, formatPercent } from "../../theme/format.ts";

interface MemberTableProps {
  /** Members, the pivot first. */
  readonly members: readonly FusionMember[];
  readonly rows: number;
}

/** Scrollable areas must be reachable by keyboard. */
export const SCROLLS = { tabIndex: 0 } as const;

/** Table of pivot and sources: wins, coverage and bits per byte. */
export function MemberTable({ members, rows }: MemberTableProps) {
  const share = (count: number) => (rows === 0 ? 0 : count / rows);
  const known = members.flatMap(({ bitsPerByte }) => bitsPerByte ?? []);
  const best = Math.min(...known);
  return (
    <section className="totals-scroll" aria-label="Pivot and sources" {...SCROLLS}>
      <table className="totals-table num">
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Teaches</th>
            <th scope="col">Covered</th>
            <th scope="col">Bits per byte</th>
            <th scope="col">Nats per token</th>
            <th scope="col">Own tokens</th>
          </tr>
        </thead>
        <tbody>
          {members.map((member, at) => {
            const { model, wins, covered, bitsPerByte, natsPerToken, tokens } = member;
            return (
              <tr key={`${at} ${model}`}>
                <th scope="row">
                  <span className="member" title={model}>
                    <i className="swatch" style={{ background: memberColour(at) }} />
                    <span className="ellipsis">{model}</span>
                    {at === 0 && <span className="faint">pivot</span>}
                  </span>
                </th>
                <td>
                  <span className="win">
                    <span className="win-track">
                      <i style={{ width: `${share(wins) * 100}%`, background: memberColour(at) }} />
                    </span>
                    <span title={`${formatCount(wins)} of ${formatCount(rows)} rows`}>
                      {formatPercent(share(wins))}
                    </span>
                  </span>
                </td>
                <td>{formatPercent(share(covered))}</td>
                <td>
                  {bitsPerByte === best && members.length > 1 ? (
                    <>
                      <span className="faint">lowest </span>
                      <b>{formatBits(bitsPerByte)}</b>
                    </>
                  ) : (
                    formatBits(bitsPerByte)
                  )}
                </td>
                <td>{formatBits(natsPerToken)}</td>
                <td>{formatCount(tokens)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
