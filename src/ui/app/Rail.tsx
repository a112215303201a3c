import { Icon } from "../parts/Icon.tsx";
import type { Screen } from "../stores/route.ts";

const ENTRIES = [
  { screen: "library", label: "Library" },
  { screen: "merge", label: "Merge" },
  { screen: "fuse", label: "Fuse" },
  { screen: "playground", label: "Playground" },
  { screen: "runs", label: "Runs" },
] as const;

/** The screens: a rail at the left, on phones a bar at the bottom. */
export function Rail({ screen }: { readonly screen: Screen }) {
  return (
    <nav className="rail" aria-label="Screens">
      <div className="rail-logo" aria-hidden="true">
        Fuse
      </div>
      {ENTRIES.map((entry) => (
        <a
          key={entry.screen}
          href={`#/${entry.screen}`}
          {...(entry.screen === screen ? { "aria-current": "page" } : {})}
        >
          <Icon name={entry.screen} size={20} />
          {entry.label}
        </a>
      ))}
    </nav>
  );
}
