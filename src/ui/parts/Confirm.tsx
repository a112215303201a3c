import { Button, Modal } from "@mantine/core";
import type { ReactNode } from "react";

interface ConfirmProps {
  readonly opened: boolean;
  readonly title: string;
  /** Label of the button: "Delete". */
  readonly verb: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** Confirmation of something that cannot be undone. */
export function Confirm({ opened, title, verb, onConfirm, onClose, children }: ConfirmProps) {
  const confirm = () => {
    onClose();
    onConfirm();
  };
  return (
    <Modal opened={opened} onClose={onClose} title={title} size="sm">
      <div className="muted">{children}</div>
      <div className="row" style={{ justifyContent: "flex-end", marginTop: 18 }}>
        <Button onClick={onClose} data-autofocus>
          Keep
        </Button>
        <Button variant="filled" color="red" onClick={confirm}>
          {verb}
        </Button>
      </div>
    </Modal>
  );
}
