import type { FusedRow } from "../../../engine/contract/index.ts";
import { memberColour } from "../../theme/colours.ts";
import { formatProbability } from "../../theme/format.ts";
import { nameToken } from "../../theme/tokenText.ts";

/** Own rows of the sources, in their vocabularies, before the vocabulary map. */
export function OwnRows({ row }: { readonly row: FusedRow }) {
  const sources = row.members.flatMap((member, at) => (member.own ? [{ ...member, at }] : []));
  if (sources.length === 0) return null;
  return (
    <details className="own">
      <summary className="small">In the sources’ own tokens</summary>
      <div className="own-rows">
        {sources.map(({ model, own, at }) => (
          <div key={`${at} ${model}`}>
            <p className="member own-name small">
              <i className="swatch" style={{ background: memberColour(at) }} />
              <b className="ellipsis">{model}</b>
              {own && <span className="faint num">{formatProbability(own.tail)} elsewhere</span>}
            </p>
            <ol className="probabilities num" aria-label={`Own row of ${model}`}>
              {own?.entries.map(({ id, text, probability }) => (
                <li key={id}>
                  <span className="mono ellipsis" title={`id ${id}`}>
                    {nameToken(text)}
                  </span>
                  <span className="probabilities-track">
                    <i
                      style={{
                        width: `${Math.min(1, probability) * 100}%`,
                        background: memberColour(at),
                      }}
                    />
                  </span>
                  <b>{formatProbability(probability)}</b>
                </li>
              ))}
            </ol>
          </div>
        ))}
      </div>
    </details>
  );
}
