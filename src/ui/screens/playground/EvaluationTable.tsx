import { useState } from "react";
import type { EvaluationCell } from "../../../engine/contract/index.ts";
import { formatBits, formatCount } from "../../theme/format.ts";
import {
  halfWidth,
  judge,
  nextOrder,
  orderModels,
  type TableOrder,
  tabulate,
} from "./evaluationTable.ts";

/** What scrolls must be reachable by keyboard. */
const SCROLLS = { tabIndex: 0 } as const;

/** Models down, datasets across: bits per byte, and how they differ from the first model's. */
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
                  <Score cell={table.cell(model, dataset)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Score({ cell }: { readonly cell: EvaluationCell | undefined }) {
  if (!cell || cell.bitsPerByte === null) return <span className="faint">–</span>;
  const { bitsPerByte, interval, difference, rows, tokens, natsPerToken } = cell;
  const half = halfWidth(interval);
  const title = [
    `${formatCount(rows)} rows`,
    `${formatCount(tokens)} tokens`,
    `${formatBits(natsPerToken)} nats per token`,
    interval ? `95 %: ${formatBits(interval[0])} to ${formatBits(interval[1])}` : "",
  ];
  return (
    <span className="score" title={title.filter(Boolean).join(", ")}>
      <span>
        <b>{formatBits(bitsPerByte)}</b>
        {half !== null && <span className="muted"> ± {formatBits(half)}</span>}
      </span>
      {difference && <Difference {...difference} />}
    </span>
  );
}

function Difference({ mean, interval }: NonNullable<EvaluationCell["difference"]>) {
  const words = judge(interval);
  const clear = words !== "no clear difference";
  const range = `${formatBits(interval[0])} to ${formatBits(interval[1])}`;
  return (
    <span className="score-difference" data-words={words}>
      <span>
        {clear ? <b>{signed(mean)}</b> : signed(mean)} <span className="faint">[{range}]</span>
      </span>
      <span className="score-words">{words}</span>
    </span>
  );
}

function signed(value: number): string {
  const text = formatBits(value);
  return value > 0 && text !== "0.000" ? `+${text}` : text;
}
