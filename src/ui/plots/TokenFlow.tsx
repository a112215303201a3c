import { type KeyboardEvent, type SyntheticEvent, useRef, useState } from "react";
import type { ReadToken } from "../../engine/contract/index.ts";
import { TokenChunk } from "./TokenChunk.tsx";
import { moveToken } from "./tokenKeys.ts";
import { tokenRoles } from "./tokenRoles.ts";
import "./tokens.css";

interface TokenFlowProps {
  readonly label: string;
  /**
   * Chunks of one length, except the last; full chunks stay the same objects while tokens arrive.
   */
  readonly chunks: readonly (readonly ReadToken[])[];
  /** Whether surprisals are shown as numbers below the tokens. */
  readonly numbers: boolean;
  /** Called with the token under the pointer or the keyboard's focus, and its place. */
  readonly onHover: (token: ReadToken | null, place: DOMRect | null) => void;
}

/** A text as tokens, coloured by surprisal: one tab stop, arrow keys between tokens. */
export function TokenFlow({ label, chunks, numbers, onHover }: TokenFlowProps) {
  const root = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(0);
  const length = chunks[0]?.length ?? 1;
  const count = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const active = Math.min(at, count - 1);
  const find = (target: EventTarget) => (target as Element).closest<HTMLElement>("[data-token]");
  const tell = (element: HTMLElement | null) => {
    const index = Number(element?.dataset.token ?? Number.NaN);
    const token = chunks[Math.floor(index / length)]?.[index % length];
    // The first box: a token broken over two lines has two.
    onHover(token ?? null, element?.getClientRects()[0] ?? null);
  };
  const element = (index: number) =>
    root.current?.querySelector<HTMLElement>(`[data-token="${index}"]`) ?? null;
  const nowhere = { left: 0, right: 0, top: 0 };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      tell(null);
      return;
    }
    const next = moveToken(event.key, active, count, (index) => {
      return element(index)?.getClientRects()[0] ?? nowhere;
    });
    if (next === null) return;
    event.preventDefault();
    setAt(next);
    // Scrolled before the focus event, so that the reported place is right.
    element(next)?.scrollIntoView({ block: "nearest" });
    element(next)?.focus({ preventScroll: true });
  };
  // One listener on the list: handlers on thousands of tokens would be slow.
  const listeners = {
    onKeyDown: press,
    onPointerOver: ({ target }: SyntheticEvent) => tell(find(target)),
    onPointerLeave: () => tell(null),
    onFocus: ({ target }: SyntheticEvent) =>
      (target as Element).matches(":focus-visible") && tell(find(target)),
    onBlur: () => tell(null),
    onClick: ({ target }: SyntheticEvent) => {
      const index = find(target)?.dataset.token;
      if (index !== undefined) setAt(Number(index));
    },
  };
  return (
    <div
      ref={root}
      className="tokens"
      data-numbers={numbers || undefined}
      {...tokenRoles.list(label)}
      {...listeners}
    >
      {chunks.map((tokens, index) => {
        const first = index * length;
        const inside = active >= first && active < first + tokens.length;
        return (
          <TokenChunk key={first} tokens={tokens} first={first} active={inside ? active : null} />
        );
      })}
    </div>
  );
}
