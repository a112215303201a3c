import type { EvaluationCell, ReportedModel } from "../../../../engine/contract/index.ts";
import { IntervalMark } from "../../../plots/IntervalMark.tsx";
import { formatBits } from "../../../theme/format.ts";
import { SCROLLS } from "../MemberTable.tsx";

const ROLES = {
  pivot: "pivot",
  source: "source",
  plain: "plain fine-tune",
  target: "target",
  merge: "merge",
} as const;

const bounds = (cells: readonly EvaluationCell[]) => {
  const ends = cells.flatMap(({ bitsPerByte, interval }) => [
    ...(bitsPerByte === null ? [] : [bitsPerByte]),
    ...(interval ?? []),
  ]);
  return [Math.min(...ends), Math.max(...ends)] as const;
};

/** Every model on the rows that no training read: bits per byte with 95 % intervals, and differences. */
export function ReportTable({ models }: { readonly models: readonly ReportedModel[] }) {
  const [from, to] = bounds(models.map(({ cell }) => cell));
  // What the pivot's own line is made of is what can be compared: sources speak for themselves.
  const own = models.filter(({ role }) => role !== "source");
  const best = Math.min(...own.flatMap(({ cell }) => cell.bitsPerByte ?? []));
  return (
    <section className="totals-scroll" aria-label="Bits per byte by model" {...SCROLLS}>
      <table className="totals-table num">
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Bits per byte</th>
            <th scope="col">95 %</th>
            <th scope="col">To the pivot</th>
            <th scope="col">To the plain fine-tune</th>
          </tr>
        </thead>
        <tbody>
          {models.map(({ name, role, cell, toPlain }) => (
            <tr key={name}>
              <th scope="row">
                <span className="member" title={name}>
                  <span className="ellipsis">{name}</span>
                  <span className="faint">{ROLES[role]}</span>
                </span>
              </th>
              <td>
                {cell.bitsPerByte === best && role !== "source" ? (
                  <>
                    <span className="faint">lowest </span>
                    <b>{formatBits(cell.bitsPerByte)}</b>
                  </>
                ) : (
                  formatBits(cell.bitsPerByte)
                )}
              </td>
              <td>
                {cell.bitsPerByte !== null && (
                  <span className="chat-interval">
                    <IntervalMark
                      value={cell.bitsPerByte}
                      {...{ interval: cell.interval, from, to }}
                    />
                    <span className="small faint">
                      {cell.interval?.map((end) => formatBits(end)).join(" – ") ?? "–"}
                    </span>
                  </span>
                )}
              </td>
              <td>
                <Difference difference={cell.difference} />
              </td>
              <td>
                <Difference difference={toPlain} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** A paired difference; whether its interval leaves out 0 is said, not coloured. */
function Difference({ difference }: { readonly difference: EvaluationCell["difference"] }) {
  if (!difference) return <span className="faint">–</span>;
  const [low, high] = difference.interval;
  const verdict = high < 0 ? "better" : low > 0 ? "worse" : "not told apart";
  return (
    <span className="chat-difference">
      <span>
        {difference.mean > 0 ? "+" : ""}
        {formatBits(difference.mean)}
      </span>
      <span className="small faint">
        {formatBits(low)} to {formatBits(high)}, {verdict}
      </span>
    </span>
  );
}

/** The same by domain: one column each. */
export function ReportDomains({ models }: { readonly models: readonly ReportedModel[] }) {
  const domains = models[0]?.cell.domains ?? [];
  if (domains.length === 0) return null;
  const words = (at: number) => {
    const domain = domains[at]?.domain;
    if (domain?.kind === "named") return domain.name;
    return domain?.kind === "others" ? "other domains" : "no domain named";
  };
  return (
    <section className="totals-scroll" aria-label="Bits per byte by domain" {...SCROLLS}>
      <table className="totals-table num">
        <thead>
          <tr>
            <th scope="col">Model</th>
            {domains.map((_, at) => (
              <th key={words(at)} scope="col">
                <span className="ellipsis column-name" title={words(at)}>
                  {words(at)}
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {models.map(({ name, cell }) => (
            <tr key={name}>
              <th scope="row">
                <span className="ellipsis" title={name}>
                  {name}
                </span>
              </th>
              {domains.map((_, at) => (
                <td key={words(at)}>{formatBits(cell.domains?.[at]?.bitsPerByte ?? null)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
