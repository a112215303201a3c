interface ModelNameProps {
  readonly name: string;
  readonly prefix: string;
}

/** A model's name; where room is short, what all results begin with goes first. */
export function ModelName({ name, prefix }: ModelNameProps) {
  const shared = name.startsWith(prefix) ? prefix : "";
  return (
    <span className="chat-name" title={name}>
      {shared && <span className="chat-prefix ellipsis">{shared}</span>}
      <span className="chat-own ellipsis">{name.slice(shared.length)}</span>
    </span>
  );
}
