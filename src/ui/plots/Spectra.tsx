import { useElementSize } from "@mantine/hooks";
import { useState } from "react";
import type { MatrixSpectrum } from "../../engine/contract/index.ts";
import { SpectrumTable } from "./SpectrumTable.tsx";
import { decades, spectrumPath } from "./spectrumLayout.ts";
import "./spectra.css";

interface SpectraProps {
  readonly matrices: readonly MatrixSpectrum[];
}

const HEIGHT = 220;
/** Margins in pixels, for labels at the left and below. */
const [LEFT, BOTTOM, EDGE] = [46, 38, 12];

/**
 * Spectra of all matrices as lines, each relative to its largest singular value, with the chosen one
 * marked as far as its factors keep it; below them a table that chooses.
 */
export function Spectra({ matrices }: SpectraProps) {
  const { ref, width: measured } = useElementSize<HTMLDivElement>();
  const [chosen, setChosen] = useState(0);
  const width = Math.max(240, measured || 560);
  const longest = matrices.reduce((most, { values }) => Math.max(most, values.length), 2);
  const least = matrices.reduce((low, { values: [first = 1, ...rest] }) => {
    const last = rest.at(-1) ?? first;
    return Math.min(low, last > 0 ? last / first : low);
  }, 0.5);
  const { levels, floor } = decades(least);
  const place = {
    x: (index: number) => LEFT + (index / (longest - 1)) * (width - LEFT - EDGE),
    y: (share: number) =>
      EDGE + (Math.log10(Math.max(share, floor)) / Math.log10(floor)) * (HEIGHT - BOTTOM - EDGE),
  };
  const matrix = matrices[chosen];
  if (!matrix) return <p className="small muted">No matrix has changed.</p>;
  const bottom = HEIGHT - BOTTOM;
  return (
    <figure className="spectra">
      <div ref={ref} className="spectra-plot">
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={`Singular values of ${matrices.length} matrices, each relative to its largest; ${matrix.module} is marked`}
        >
          {levels.map(({ share, label }) => (
            <g key={label}>
              <line
                className="curves-grid"
                x1={LEFT}
                x2={width - EDGE}
                y1={place.y(share)}
                y2={place.y(share)}
              />
              <text className="curves-tick" x={LEFT - 8} y={place.y(share) + 4} textAnchor="end">
                {label}
              </text>
            </g>
          ))}
          {matrices.map(({ module, values }) => (
            <polyline key={module} className="spectra-line" points={spectrumPath(values, place)} />
          ))}
          <polygon
            className="spectra-kept"
            points={`${place.x(0)},${bottom} ${spectrumPath(matrix.values.slice(0, matrix.rank), place, matrix.values[0])} ${place.x(matrix.rank - 1)},${bottom}`}
          />
          <polyline className="spectra-chosen" points={spectrumPath(matrix.values, place)} />
          {[1, longest].map((count) => (
            <text
              key={count}
              className="curves-tick"
              x={place.x(count - 1)}
              y={HEIGHT - 22}
              textAnchor={count === 1 ? "middle" : "end"}
            >
              {count}
            </text>
          ))}
          <text className="curves-tick" x={(LEFT + width) / 2} y={HEIGHT - 7} textAnchor="middle">
            singular value, relative to the largest, by its number
          </text>
        </svg>
      </div>
      <SpectrumTable matrices={matrices} chosen={chosen} onChoose={setChosen} />
    </figure>
  );
}
