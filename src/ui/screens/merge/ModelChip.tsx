import type { ReactNode } from "react";
import { type Verb, VerbMenu } from "../../parts/VerbMenu.tsx";

interface ModelChipProps {
  readonly name: string;
  readonly colour: string;
  readonly tag?: string;
  /** Null where the library has no such model. */
  readonly facts: string | null;
  readonly verbs: readonly Verb[];
  readonly children?: ReactNode;
}

/** One model of the recipe. */
export function ModelChip({ name, colour, tag, facts, verbs, children }: ModelChipProps) {
  return (
    <div className="panel chip-model">
      <i className="swatch" style={{ background: colour }} />
      <b className="ellipsis" title={name}>
        {name}
      </b>
      {tag && <em>{tag}</em>}
      {verbs.length > 0 && <VerbMenu label={`Actions for ${name}`} verbs={verbs} />}
      <span className="chip-facts num" data-missing={facts === null || undefined}>
        {facts ?? "Not in the library. Drop its folder, or remove it."}
      </span>
      {children && <div className="chip-params">{children}</div>}
    </div>
  );
}
