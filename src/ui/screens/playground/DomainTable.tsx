import { type EvaluationCell, nameDomain } from "../../../engine/contract/index.ts";
import { formatCount } from "../../theme/format.ts";
import { tabulateDomains } from "./evaluationTable.ts";
import { Score } from "./Score.tsx";

/** Scrollable areas must be reachable by keyboard. */
const SCROLLS = { tabIndex: 0 } as const;

/** Table of one dataset by domain, collapsed: domains down, models across. */
export function DomainTable({ cells }: { readonly cells: readonly EvaluationCell[] }) {
  const dataset = cells[0]?.dataset ?? "";
  const { domains, models, count } = tabulateDomains(cells);
  return (
    <details className="fold domains">
      <summary>
        <h3 className="ellipsis" title={dataset}>
          {dataset} by domain
        </h3>
        <span className="small faint num">
          {count === 1 ? "1 domain" : `${formatCount(count)} domains`}
        </span>
      </summary>
      <section className="scores-scroll" aria-label={`${dataset} by domain`} {...SCROLLS}>
        <table className="scores num">
          <thead>
            <tr>
              <th scope="col">Domain</th>
              {models.map((model) => (
                <th key={model} scope="col">
                  {model}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {domains.map(({ domain, rows, figures }) => (
              <tr key={nameDomain(domain)} data-kind={domain.kind}>
                <th scope="row">
                  <span className="scores-name">{nameDomain(domain)}</span>
                  <span className="scores-note">
                    {rows === 1 ? "1 row" : `${formatCount(rows)} rows`}
                  </span>
                </th>
                {figures.map((one, i) => (
                  <td key={models[i]}>
                    <Score figures={one} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}
