import { useState } from "react";
import type {
  TokenList,
  VocabularyDifference,
  VocabularyPlan,
} from "../../../engine/contract/index.ts";
import { Windowed } from "../../parts/Windowed.tsx";
import { MiddleName } from "../../plots/MiddleName.tsx";
import { formatCount } from "../../theme/format.ts";
import { nameToken } from "../../theme/tokenText.ts";
import "./vocabulary.css";

/** Models whose vocabulary differs from the result's: how many tokens, and which. */
export function VocabularyTable({ plan }: { readonly plan: VocabularyPlan }) {
  const { from, aligned, tokens, models } = plan;
  return (
    <div className="vocabulary">
      <h3 className="small">Vocabulary</h3>
      <p className="small muted num">
        {formatCount(tokens)} tokens, with the tokenizer of {from}; rows are merged{" "}
        {aligned ? "token by token" : "id by id"}.
      </p>
      <table
        className="vocabulary-table num"
        aria-label="Vocabularies that differ from the result’s"
      >
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">lacks</th>
            <th scope="col">alone has</th>
            <th scope="col">other ids</th>
          </tr>
        </thead>
        {models.map((model) => (
          <ModelRows key={model.model} difference={model} />
        ))}
      </table>
    </div>
  );
}

function ModelRows({ difference }: { readonly difference: VocabularyDifference }) {
  const { model, tokens, lacks, leftOut, moved, special } = difference;
  return (
    <tbody>
      <tr>
        <th scope="row" title={`${model}: ${formatCount(tokens)} tokens`}>
          <MiddleName name={model} />
        </th>
        {[lacks, leftOut, moved].map(({ count }, i) => (
          // The three counts have fixed places.
          <td key={["lacks", "alone", "ids"][i]} data-none={count === 0 || undefined}>
            {formatCount(count)}
          </td>
        ))}
      </tr>
      {special.map(({ role, own, result }) => (
        <tr key={role}>
          <td colSpan={4} className="vocabulary-special">
            <span className="mono">{role}</span> is <Token text={own} /> here,{" "}
            <Token text={result} /> in the result
          </td>
        </tr>
      ))}
      {lacks.count + leftOut.count + moved.count > 0 && (
        <tr>
          <td colSpan={4} className="vocabulary-more">
            <Tokens difference={difference} />
          </td>
        </tr>
      )}
    </tbody>
  );
}

function Token({ text }: { readonly text: string | null }) {
  return text === null ? <>none</> : <span className="mono">{nameToken(text)}</span>;
}

const ROW = 24;
const idOf = (id: number | null) => (id === null ? "–" : String(id));

/** The tokens themselves, folded away. */
function Tokens({ difference }: { readonly difference: VocabularyDifference }) {
  const [open, setOpen] = useState(false);
  const { model } = difference;
  const lists: readonly TokenList[] = [difference.lacks, difference.leftOut, difference.moved];
  const shown = lists.flatMap(({ tokens }) => tokens);
  const count = lists.reduce((sum, list) => sum + list.count, 0);
  const words = shown.length === count ? "All" : `First ${formatCount(shown.length)} of`;
  return (
    <details className="names" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className="small">
        {words} {formatCount(count)}
      </summary>
      {open && (
        <Windowed
          label={`Tokens of ${model} that differ`}
          count={shown.length}
          rowHeight={ROW}
          height={Math.min(264, (shown.length + 1) * ROW + 8)}
          columns={["Token", "own id", "new id"]}
          row={(index) => {
            const { token, own, id } = shown[index]!;
            return [
              <span key="token" className="mono" title={token}>
                {nameToken(token)}
              </span>,
              idOf(own),
              idOf(id),
            ];
          }}
        />
      )}
    </details>
  );
}
