import { useState } from "react";
import type { ReadToken } from "../../../engine/contract/index.ts";
import { Note } from "../../parts/Note.tsx";
import { Progress } from "../../parts/Progress.tsx";
import { TokenFlow } from "../../plots/TokenFlow.tsx";
import type { Exchange } from "../../stores/playgroundStore.ts";
import { formatBytesOf } from "../../theme/format.ts";
import { factsOf } from "./facts.ts";
import { TokenTip } from "./TokenTip.tsx";

interface ExchangeViewProps {
  readonly name: string;
  readonly exchange: Exchange;
  readonly numbers: boolean;
}

interface Hovered {
  readonly token: ReadToken;
  readonly place: DOMRect;
}

/** A prompt with a model's answer or reading. */
export function ExchangeView({ name, exchange, numbers }: ExchangeViewProps) {
  const [hovered, setHovered] = useState<Hovered | null>(null);
  const { kind, prompt, state, loading, chunks, failure, text } = exchange;
  const ended = state === "done" || state === "stopped";
  return (
    <article className="exchange" data-kind={kind}>
      {kind !== "read" && <p className="exchange-prompt">{prompt}</p>}
      {loading && (
        <Progress
          label={`Loading ${name}`}
          words="Loading the weights"
          numbers={formatBytesOf(loading.doneBytes, loading.totalBytes)}
          fraction={loading.totalBytes > 0 ? loading.doneBytes / loading.totalBytes : null}
        />
      )}
      {state === "waiting" && <p className="small muted">Waiting for its turn.</p>}
      {state === "writing" && chunks.length === 0 && (
        <p className="small muted">{kind === "read" ? "Reading…" : "Reading the prompt…"}</p>
      )}
      {chunks.length > 0 && (
        <TokenFlow
          label={`${kind === "read" ? "The text as read by" : "Tokens of"} ${name}`}
          chunks={chunks}
          numbers={numbers}
          onHover={(token, place) => setHovered(token && place ? { token, place } : null)}
        />
      )}
      {ended && text !== "" && (
        <p className="unseen">
          {name} answered: {text}
        </p>
      )}
      {failure && (
        <Note tone="error" title="Failed." code={failure.code} role="alert">
          {failure.message}
        </Note>
      )}
      <p className="exchange-facts small muted num">{factsOf(exchange).join(" · ")}</p>
      {hovered && <TokenTip {...hovered} />}
    </article>
  );
}
