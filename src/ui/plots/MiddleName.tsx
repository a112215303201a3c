/** Letters at the end of a name that are always shown: fine-tunes of one model differ there. */
const TAIL = 12;

/** A model's name on one line, cut in the middle where there is no room for it. */
export function MiddleName({ name }: { readonly name: string }) {
  const cut = Math.max(0, name.length - TAIL);
  return (
    <span className="middle-name">
      <span>{name.slice(0, cut)}</span>
      <span>{name.slice(cut)}</span>
    </span>
  );
}
