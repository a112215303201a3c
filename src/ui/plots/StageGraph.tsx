import { MiddleName } from "./MiddleName.tsx";
import { type StageNode, stageLinks } from "./stageGraph.ts";
import "./stages.css";

interface StageGraphProps {
  readonly nodes: readonly StageNode[];
  /** Name of the last merge's result. */
  readonly result: string;
  /** What else there is to say about each merge: its size. */
  readonly facts: readonly string[];
  methodTitle(id: string): string;
}

/** Width of a lane of links. */
const LANE = 14;

/** The merges of a recipe in their order, and which result goes into which, as curves beside them. */
export function StageGraph({ nodes, result, facts, methodTitle }: StageGraphProps) {
  const links = stageLinks(nodes);
  const lanes = links.reduce((most, { lane }) => Math.max(most, lane + 1), 1);
  const gutter = lanes * LANE + 10;
  const nameOf = (index: number) => nodes[index]?.name ?? result;
  return (
    <div className="stages" style={{ ["--gutter" as string]: `${gutter}px` }}>
      <svg
        width={gutter}
        height="100%"
        viewBox={`0 0 ${gutter} ${nodes.length}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {links.map(({ from, to, lane }) => {
          const [start, end, x] = [from + 0.5, to + 0.5, gutter - 10 - (lane + 0.9) * LANE];
          return (
            <path
              key={`${from} ${to}`}
              d={`M${gutter} ${start}C${x} ${start} ${x} ${start} ${x} ${start + 0.5}L${x} ${end - 0.5}C${x} ${end} ${x} ${end} ${gutter} ${end}`}
            />
          );
        })}
      </svg>
      <ol aria-label="Merges in their order">
        {nodes.map(({ name, method, models, feeds }, index) => {
          const inputs = [...feeds.map(nameOf), ...models];
          return (
            <li key={name ?? ""} data-last={name === null || undefined}>
              <i className="stage-dot" />
              <b className="stage-name" title={name ?? result}>
                <MiddleName name={name ?? result} />
              </b>
              <span className="stage-inputs muted" title={inputs.join(", ")}>
                {methodTitle(method)} of {inputs.join(", ")}
              </span>
              <span className="faint num">{facts[index]}</span>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
