import { ActionIcon, CopyButton } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import type { ModelCard } from "../../../engine/contract/index.ts";
import { Icon } from "../../parts/Icon.tsx";
import { Note } from "../../parts/Note.tsx";
import { isShownIn } from "../../stores/playgroundActions.ts";
import type { Studio } from "../../stores/studio.ts";
import { modelColour } from "../../theme/colours.ts";
import { formatBytes } from "../../theme/format.ts";
import { ExchangeView } from "./ExchangeView.tsx";

interface ColumnProps {
  readonly studio: Studio;
  readonly model: ModelCard;
  readonly index: number;
}

/** Distance from its end, in pixels, within which a column follows new text. */
const NEAR_END = 90;

/** Scrolls a growing box to its end, unless the user scrolled away. */
function useFollowedEnd(growth: number) {
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    const { current } = box;
    if (!current || growth === 0) return;
    const { scrollHeight, scrollTop, clientHeight } = current;
    if (scrollHeight - scrollTop - clientHeight < NEAR_END) current.scrollTop = scrollHeight;
  }, [growth]);
  return box;
}

/** Column of one model: prompts and answers. */
export function Column({ studio, model: { id, name }, index }: ColumnProps) {
  const card = useStore(studio.playground, (state) => state.cards[id]);
  const all = useStore(studio.playground, (state) => state.columns[id]) ?? [];
  const numbers = useStore(studio.playground, (state) => state.numbers);
  const mode = useStore(studio.playground, (state) => state.mode);
  const exchanges = all.filter((exchange) => isShownIn(mode, exchange));
  const last = exchanges.at(-1);
  const box = useFollowedEnd(last?.count ?? 0);
  const answer = exchanges.map(({ text }) => text).join("\n\n");
  const mute = mode === "chat" && card && !card.chats;
  return (
    <section className="column panel" aria-label={name} ref={box}>
      <div className="column-head">
        <i className="swatch" style={{ background: modelColour(index) }} />
        <h2 className="ellipsis" title={name}>
          {name}
        </h2>
        <span className="grow" />
        {answer.trim() !== "" && (
          <CopyButton value={answer}>
            {({ copied, copy }) => (
              <ActionIcon aria-label={`Copy what ${name} wrote`} onClick={copy}>
                <Icon name={copied ? "tick" : "copy"} size={16} />
              </ActionIcon>
            )}
          </CopyButton>
        )}
      </div>
      {card?.streamed && (
        <Note tone="warning" title="Larger than the GPU budget.">
          Its {formatBytes(card.weightBytes)} of weights go through the GPU layer by layer for every
          token: it runs, slowly. Raise the budget at the top of the page where there is memory.
        </Note>
      )}
      {mute && <Note tone="note">It brings no chat template, so it sits this out. Use Text.</Note>}
      {exchanges.map((exchange, at) => (
        <ExchangeView key={`${mode} ${at}`} name={name} exchange={exchange} numbers={numbers} />
      ))}
      {!last && !mute && (
        <p className="small muted">
          {mode === "chat" ? "The conversation appears here." : "The continuation appears here."}
        </p>
      )}
      <p className="unseen" role="status">
        {last?.state === "done" && `${name} is done.`}
        {last?.state === "loading" && `${name} is being loaded.`}
      </p>
    </section>
  );
}
