import { Button, Menu } from "@mantine/core";
import type { ModelCard } from "../../../engine/contract/index.ts";
import { COMMANDS } from "../../stores/commands.ts";

interface AddModelProps {
  readonly label: string;
  readonly models: readonly ModelCard[];
  add(model: ModelCard): void;
}

/** Menu of the models that fit, and the way to import one. */
export function AddModel({ label, models, add }: AddModelProps) {
  return (
    <Menu position="bottom-start" width={268}>
      <Menu.Target>
        <Button variant="subtle" size="compact-sm">
          {label}
        </Button>
      </Menu.Target>
      <Menu.Dropdown className="add-menu">
        {models.map((model) => (
          <Menu.Item key={model.id} onClick={() => add(model)}>
            {model.name}
          </Menu.Item>
        ))}
        {models.length > 0 && <Menu.Divider />}
        <Menu.Item onClick={() => COMMANDS.addFolder.run()}>{COMMANDS.addFolder.label}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
