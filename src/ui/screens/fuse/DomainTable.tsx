import type { FusionDomain, FusionMember } from "../../../engine/contract/index.ts";
import { memberColour } from "../../theme/colours.ts";
import { formatBits, formatCount, formatPercent } from "../../theme/format.ts";
import { SCROLLS } from "./MemberTable.tsx";

/** Table by domain: rows that each member decides, and every model's bits per byte. */
export function DomainTable({ domains }: { readonly domains: readonly FusionDomain[] }) {
  const members = domains[0]?.members ?? [];
  const name = (at: number) => (
    <th key={at} scope="col">
      <span className="member column-name" title={members[at]?.model}>
        <i className="swatch" style={{ background: memberColour(at) }} />
        <span className="ellipsis">{members[at]?.model}</span>
      </span>
    </th>
  );
  return (
    <section className="totals-scroll" aria-label="Domain by domain" {...SCROLLS}>
      <table className="totals-table num">
        <thead>
          <tr>
            <th scope="col" rowSpan={2}>
              Domain
            </th>
            <th scope="col" rowSpan={2}>
              Rows
            </th>
            <th scope="col" rowSpan={2}>
              Who teaches
            </th>
            <th scope="colgroup" colSpan={members.length - 1}>
              Covered by
            </th>
            <th scope="colgroup" colSpan={members.length}>
              Bits per byte
            </th>
          </tr>
          <tr>
            {[...members.keys()].slice(1).map(name)}
            {[...members.keys()].map(name)}
          </tr>
        </thead>
        <tbody>
          {domains.map(({ domain, documents, rows, members: own }) => (
            <tr key={domain ?? ""}>
              <th scope="row">
                <span className="ellipsis column-name" title={domain ?? ""}>
                  {domain ?? <em className="muted">no domain named</em>}
                </span>
              </th>
              <td title={`${formatCount(documents)} texts`}>{formatCount(rows)}</td>
              <td>
                <Wins members={own} rows={rows} />
              </td>
              {own.slice(1).map(({ model, covered }, at) => (
                <td key={`covered ${at} ${model}`}>
                  {formatPercent(rows === 0 ? 0 : covered / rows)}
                </td>
              ))}
              {own.map(({ model, bitsPerByte }, at) => (
                <td key={`bits ${at} ${model}`}>{formatBits(bitsPerByte)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface WinsProps {
  readonly members: readonly FusionMember[];
  readonly rows: number;
}

/** Stacked bar of the members' wins, with numbers below. */
function Wins({ members, rows }: WinsProps) {
  const share = (wins: number) => (rows === 0 ? 0 : wins / rows);
  return (
    <span className="wins">
      <span className="wins-bar" aria-hidden="true">
        {members.map(({ model, wins }, at) => (
          <i
            key={`${at} ${model}`}
            style={{ width: `${share(wins) * 100}%`, background: memberColour(at) }}
          />
        ))}
      </span>
      <span className="wins-words">
        {members.map(({ model, wins }, at) => (
          <span key={`${at} ${model}`}>
            <span className="ellipsis" title={model}>
              {at === 0 ? "pivot" : model}
            </span>
            <span>{formatPercent(share(wins))}</span>
          </span>
        ))}
      </span>
    </span>
  );
}
