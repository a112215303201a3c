import {
  type DomainFigures,
  nameDomain,
  type ReportedModel,
} from "../../../../engine/contract/index.ts";
import { formatBits, formatCount } from "../../../theme/format.ts";
import { SCROLLS } from "../MemberTable.tsx";
import { ModelName } from "./ModelName.tsx";

interface ReportDomainsProps {
  readonly models: readonly ReportedModel[];
  /** Domains of the pivot, with its rows of each. */
  readonly domains: readonly Pick<DomainFigures, "domain" | "rows">[];
  /** Common prefix of the results' names. */
  readonly prefix: string;
}

/**
 * Table of bits per byte by domain, a column per model; the lowest of the pivot and its results is
 * marked.
 */
export function ReportDomains({ models, domains, prefix }: ReportDomainsProps) {
  const at = (model: ReportedModel, column: number) =>
    model.cell.domains?.[column]?.bitsPerByte ?? null;
  const own = models.filter(({ role }) => role !== "source");
  const lowest = domains.map((_, column) =>
    Math.min(...own.flatMap((model) => at(model, column) ?? [])),
  );
  return (
    <section className="totals-scroll" aria-label="Bits per byte by domain" {...SCROLLS}>
      <table className="totals-table num">
        <thead>
          <tr>
            <th scope="col">Model</th>
            {domains.map(({ domain, rows }) => (
              <th key={nameDomain(domain)} scope="col">
                <span className="ellipsis column-name" title={nameDomain(domain)}>
                  {nameDomain(domain)}
                </span>
                <span className="faint"> n = {formatCount(rows)}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <tr key={model.name}>
              <th scope="row">
                <ModelName name={model.name} prefix={prefix} />
              </th>
              {domains.map(({ domain }, column) => {
                const value = at(model, column);
                const best = model.role !== "source" && value === lowest[column];
                return (
                  <td key={nameDomain(domain)}>
                    {best && <span className="faint">lowest </span>}
                    {best ? <b>{formatBits(value)}</b> : formatBits(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
