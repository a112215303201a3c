import type { MatrixSpectrum } from "../../engine/contract/index.ts";

interface SpectrumTableProps {
  readonly matrices: readonly MatrixSpectrum[];
  /** Index of the chosen one. */
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
}

/** Scrollable areas must be reachable by keyboard. */
const SCROLLS = { tabIndex: 0 } as const;

/** Table of the matrices' ranks and kept energies; a click on a name chooses its spectrum. */
export function SpectrumTable({ matrices, chosen, onChoose }: SpectrumTableProps) {
  return (
    <section className="curves-scroll" aria-label="Spectra as numbers" {...SCROLLS}>
      <table className="curves-table spectra-table num">
        <thead>
          <tr>
            <th scope="col">Matrix</th>
            <th scope="col">Shape</th>
            <th scope="col">Rank</th>
            <th scope="col">Kept</th>
            <th scope="col">Norm</th>
            <th scope="col">Stable rank</th>
          </tr>
        </thead>
        <tbody>
          {matrices.map(({ module, shape, rank, kept, energy, stableRank }, index) => (
            <tr key={module} data-chosen={index === chosen || undefined}>
              <th scope="row">
                <button
                  type="button"
                  className="spectra-name"
                  aria-pressed={index === chosen}
                  onClick={() => onChoose(index)}
                >
                  {module}
                </button>
              </th>
              <td>{shape.join(" × ")}</td>
              <td>{rank}</td>
              <td>
                <span className="spectra-share" style={{ width: `${(48 * kept).toFixed(1)}px` }} />
                {(100 * kept).toFixed(1)} %
              </td>
              <td>{Math.sqrt(energy).toPrecision(3)}</td>
              <td>{stableRank.toFixed(1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
