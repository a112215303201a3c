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
  /** Whether a pivot token is highlighted. Must stay the same function while its answers do. */
  readonly only: (link: AlignedTexts["source"]["links"][number] | undefined) => boolean;
  /** Token of the keyboard's focus, which is scrolled into view when it changes. */
  readonly active: TokenPlace;
  readonly onMove: (place: TokenPlace) => void;
  /** Called with the token under the pointer. */
  readonly onHover: (place: TokenPlace | null) => void;
  /** Token under the pointer, else the active one: its links are highlighted. */
  readonly lit: TokenPlace;
  /** Called on Enter, the space bar, or a click. */
  readonly onSelect: (place: TokenPlace) => void;
}

/** Lines rendered beyond the visible ones. */
const SPARE = 3;

const placeOf = (element: Element | null): TokenPlace | null => {
  const [side, index] = (element?.getAttribute("data-token") ?? "").split("-");
  if (side !== "pivot" && side !== "source") return null;
  return { side, index: Number(index) };
};

/** Two tokenisations of a text, line above line; only visible lines are rendered. One tab stop. */
export function AlignmentFlow(props: AlignmentFlowProps) {
  const { label, texts, only, active, lit, onMove, onHover, onSelect } = props;
  const root = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ width: 0, top: 0, height: 400 });
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return;
    const see = () => {
      const { clientWidth: width, scrollTop, clientHeight: height } = element;
      // Rounded, so that scrolling renders only when another line becomes visible.
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
  // The active token's line is always rendered for Tab, in order, since moving an element would
  // lose its focus.
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
  // One listener on the list: handlers on thousands of tokens would be slow.
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
