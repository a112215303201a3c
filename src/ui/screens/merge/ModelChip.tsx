import { ActionIcon, Menu } from "@mantine/core";
import type { ReactNode } from "react";
import { Icon } from "../../parts/Icon.tsx";

interface ModelChipProps {
  readonly name: string;
  readonly colour: string;
  readonly tag?: string;
  /** Null where the library has no such model. */
  readonly facts: string | null;
  readonly verbs: readonly { readonly label: string; readonly run: () => void }[];
  readonly children?: ReactNode;
}

/** One model of the recipe. */
export function ModelChip({ name, colour, tag, facts, verbs, children }: ModelChipProps) {
  return (
    <div className="panel chip-model">
      <i className="swatch" style={{ background: colour }} />
      <b className="ellipsis" title={name}>
        {name}
      </b>
      {tag && <em>{tag}</em>}
      {verbs.length > 0 && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon size="sm" aria-label={`Actions for ${name}`}>
              <Icon name="more" size={15} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {verbs.map(({ label, run }) => (
              <Menu.Item key={label} onClick={run}>
                {label}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
      <span className="chip-facts num" data-missing={facts === null || undefined}>
        {facts ?? "Not in the library. Drop its folder, or remove it."}
      </span>
      {children && <div className="chip-params">{children}</div>}
    </div>
  );
}
