import { useState } from "react";
import type { EvaluationCell } from "../../../engine/contract/index.ts";
import { nextOrder, orderModels, type TableOrder, tabulate } from "./evaluationTable.ts";
import { Score } from "./Score.tsx";

/** Scrollable areas must be reachable by keyboard. */
const SCROLLS = { tabIndex: 0 } as const;

/** Table of bits per byte, models down and datasets across, with differences to the first model. */
export function EvaluationTable({ cells }: { readonly cells: readonly EvaluationCell[] }) {
  const [order, setOrder] = useState<TableOrder>({ dataset: null, descending: false });
  const table = tabulate(cells);
  const sortOf = (dataset: string) => {
    if (order.dataset !== dataset) return "none";
    return order.descending ? "descending" : "ascending";
  };
  const arrow = { none: "↕", ascending: "↑", descending: "↓" } as const;
  return (
    <section className="scores-scroll" aria-label="Bits per byte" {...SCROLLS}>
      <table className="scores num">
        <thead>
          <tr>
            <th scope="col">Model</th>
            {table.datasets.map((dataset) => (
              <th key={dataset} scope="col" aria-sort={sortOf(dataset)}>
                <button
                  type="button"
                  className="scores-sort"
                  onClick={() => setOrder(nextOrder(order, dataset))}
                >
                  <span className="ellipsis" title={dataset}>
                    {dataset}
                  </span>
                  <span aria-hidden="true">{arrow[sortOf(dataset)]}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {orderModels(table, order).map((model) => (
            <tr key={model}>
              <th scope="row">
                <span className="scores-name">{model}</span>
                {model === table.models[0] && table.models.length > 1 && (
                  <span className="scores-note">the others are compared with it</span>
                )}
              </th>
              {table.datasets.map((dataset) => (
                <td key={dataset}>
                  <Score figures={table.cell(model, dataset)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
