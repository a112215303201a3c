import type { ReactNode } from "react";
import "./parts.css";

interface FactsProps {
  readonly rows: readonly (readonly [term: string, value: ReactNode])[];
}

/** List of terms and values, the values aligned at the right. */
export function Facts({ rows }: FactsProps) {
  return (
    <dl className="facts num">
      {rows.map(([term, value]) => (
        <FactRow key={term} term={term} value={value} />
      ))}
    </dl>
  );
}

function FactRow({ term, value }: { readonly term: string; readonly value: ReactNode }) {
  return (
    <>
      <dt>{term}</dt>
      <dd>{value}</dd>
    </>
  );
}
