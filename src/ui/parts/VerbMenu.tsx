import { ActionIcon, Menu } from "@mantine/core";
import { Icon } from "./Icon.tsx";

export interface Verb {
  readonly label: string;
  readonly run: () => void;
}

/** A small button that opens a list of commands. */
export function VerbMenu({
  label,
  verbs,
}: {
  readonly label: string;
  readonly verbs: readonly Verb[];
}) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon size="sm" aria-label={label}>
          <Icon name="more" size={15} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {verbs.map((verb) => (
          <Menu.Item key={verb.label} onClick={verb.run}>
            {verb.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
