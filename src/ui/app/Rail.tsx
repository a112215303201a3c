import { Drawing } from "../parts/Icon.tsx";
import { SCREENS } from "./screens.ts";

/** Navigation between screens: a rail at the left, on phones a bar at the bottom. */
export function Rail({ screen }: { readonly screen: string }) {
  return (
    <nav className="rail" aria-label="Screens">
      <div className="rail-logo" aria-hidden="true">
        Fuse
      </div>
      {SCREENS.map(({ id, label, icon }) => (
        <a key={id} href={`#/${id}`} {...(id === screen ? { "aria-current": "page" } : {})}>
          <Drawing path={icon} size={20} />
          {label}
        </a>
      ))}
    </nav>
  );
}
