interface ModelNameProps {
  readonly name: string;
  readonly prefix: string;
}

/** Name of a model; in little room the common prefix of all results is left out. */
export function ModelName({ name, prefix }: ModelNameProps) {
  const shared = name.startsWith(prefix) ? prefix : "";
  return (
    <span className="chat-name" title={name}>
      {shared && <span className="chat-prefix ellipsis">{shared}</span>}
      <span className="chat-own ellipsis">{name.slice(shared.length)}</span>
    </span>
  );
}
