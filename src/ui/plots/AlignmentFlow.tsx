import {
  type KeyboardEvent,
  type SyntheticEvent,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { type AlignedTexts, AlignmentLine, BLOCK_HEIGHT } from "./AlignmentLine.tsx";
import { moveInAlignment } from "./alignmentKeys.ts";
import { layOutAlignment, type TokenPlace } from "./alignmentLayout.ts";
import { drawLinks } from "./alignmentLinks.ts";
import { measureTokens } from "./measureTokens.ts";
import { tokenRoles } from "./tokenRoles.ts";
import "./alignment.css";

interface AlignmentFlowProps {
  readonly label: string;
  readonly texts: AlignedTexts;
  /** Whether a pivot's token stands out. The same function while the answer is the same. */
  readonly only: (link: AlignedTexts["source"]["links"][number] | undefined) => boolean;
  /** The token that the keyboard is at. It is brought into sight when it changes. */
  readonly active: TokenPlace;
  readonly onMove: (place: TokenPlace) => void;
  /** The token under the pointer. */
  readonly onHover: (place: TokenPlace | null) => void;
  /** The token under the pointer, or else the active one: its links stand out. */
  readonly lit: TokenPlace;
  /** Enter, the space bar, or a click. */
  readonly onSelect: (place: TokenPlace) => void;
}

/** Lines that are drawn beyond those in sight. */
const SPARE = 3;

const placeOf = (element: Element | null): TokenPlace | null => {
  const [side, index] = (element?.getAttribute("data-token") ?? "").split("-");
  if (side !== "pivot" && side !== "source") return null;
  return { side, index: Number(index) };
};

/** Two tokenisations of a text over each other; only the lines in sight exist. One stop of Tab. */
export function AlignmentFlow(props: AlignmentFlowProps) {
  const { label, texts, only, active, lit, onMove, onHover, onSelect } = props;
  const root = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ width: 0, top: 0, height: 400 });
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return;
    const see = () => {
      const { clientWidth: width, scrollTop, clientHeight: height } = element;
      // Nothing is drawn anew before another line comes into sight.
      const top = Math.floor(scrollTop / BLOCK_HEIGHT) * BLOCK_HEIGHT;
      setView((before) =>
        before.width === width && before.top === top && before.height === height
          ? before
          : { width, top, height },
      );
    };
    see();
    const watcher = new ResizeObserver(see);
    watcher.observe(element);
    element.addEventListener("scroll", see, { passive: true });
    return () => {
      watcher.disconnect();
      element.removeEventListener("scroll", see);
    };
  }, []);
  const width = Math.max(120, view.width - 24);
  const layout = useMemo(
    () => layOutAlignment(measureTokens(texts.pivot), measureTokens(texts.source.tokens), width),
    [texts, width],
  );
  const lines = useMemo(
    () => layout.blocks.map((block, at) => drawLinks(block, at, layout, texts.source.links, width)),
    [layout, texts, width],
  );
  const lineOf = ({ side, index }: TokenPlace) => layout.blockOf[side][index] ?? 0;
  const activeLine = lineOf(active);
  useEffect(() => {
    const element = root.current;
    if (!element) return;
    const [top, bottom] = [activeLine * BLOCK_HEIGHT, (activeLine + 1) * BLOCK_HEIGHT];
    if (top < element.scrollTop) element.scrollTop = top;
    else if (bottom > element.scrollTop + element.clientHeight) {
      element.scrollTop = bottom - element.clientHeight;
    }
  }, [activeLine]);
  useEffect(() => {
    // The focus follows only where it is in the text already.
    const element = root.current;
    if (!element?.contains(document.activeElement)) return;
    const token = element.querySelector<HTMLElement>(
      `[data-token="${active.side}-${active.index}"]`,
    );
    token?.focus({ preventScroll: true });
  }, [active]);

  const first = Math.max(0, Math.floor(view.top / BLOCK_HEIGHT) - SPARE);
  const last = Math.min(
    layout.blocks.length,
    Math.ceil((view.top + view.height) / BLOCK_HEIGHT) + 1 + SPARE,
  );
  const shown = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
  // Tab must lead to the active one. In order, so that React moves no element that has the focus.
  if (!shown.includes(activeLine)) shown.push(activeLine);
  shown.sort((a, b) => a - b);

  const find = (target: EventTarget) => placeOf((target as Element).closest("[data-token]"));
  const press = (event: KeyboardEvent) => {
    const select = event.key === "Enter" || event.key === " ";
    const next = select ? null : moveInAlignment(event.key, active, layout);
    if (!select && !next) return;
    event.preventDefault();
    if (next) onMove(next);
    else onSelect(active);
  };
  // The list listens for all its tokens: a handler on each would cost thousands.
  const listeners = {
    onKeyDown: press,
    onPointerOver: ({ target }: SyntheticEvent) => onHover(find(target)),
    onPointerLeave: () => onHover(null),
    onClick: ({ target }: SyntheticEvent) => {
      const place = find(target);
      if (!place) return;
      onMove(place);
      onSelect(place);
    },
    onFocus: ({ target }: SyntheticEvent) => {
      const place = find(target);
      if (place && (place.side !== active.side || place.index !== active.index)) onMove(place);
    },
  };
  return (
    <div ref={root} className="aflow" {...tokenRoles.list(label)} {...listeners}>
      <div
        {...tokenRoles.none}
        className="aflow-lines"
        style={{ height: layout.blocks.length * BLOCK_HEIGHT, width }}
      >
        {shown.map((at) => {
          const block = layout.blocks[at];
          return (
            block && (
              <AlignmentLine
                key={at}
                texts={texts}
                block={block}
                at={at}
                only={only}
                links={lines[at] ?? []}
                active={at === activeLine ? active : null}
                lit={at === lineOf(lit) ? lit : null}
              />
            )
          );
        })}
      </div>
    </div>
  );
}
