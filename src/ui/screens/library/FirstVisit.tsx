import { Button } from "@mantine/core";
import { useStore } from "zustand";
import { Icon } from "../../parts/Icon.tsx";
import { COMMANDS } from "../../stores/commands.ts";
import type { Studio } from "../../stores/studio.ts";

/** Empty library: one sentence, a drop target, and the samples. */
export function FirstVisit({ studio }: { readonly studio: Studio }) {
  const busy = useStore(studio.jobs, () => COMMANDS.trySamples.blocked(studio) !== null);
  return (
    <div className="first">
      <h2>Merge language models on your own GPU, and see every weight that decides.</h2>
      <div className="first-drop">
        <Icon name="drop" size={34} />
        <p>
          <b>Drop checkpoint folders anywhere in this window</b>
          <br />
          <span className="muted">safetensors with config.json, sharded or not, of any size</span>
        </p>
        <div className="row wrap" style={{ justifyContent: "center" }}>
          <Button onClick={() => COMMANDS.addFolder.run()}>{COMMANDS.addFolder.label}</Button>
          <Button onClick={() => COMMANDS.addFiles.run()}>{COMMANDS.addFiles.label}</Button>
        </div>
      </div>
      <Button
        variant="filled"
        size="md"
        disabled={busy}
        onClick={() => COMMANDS.trySamples.run(studio)}
      >
        {COMMANDS.trySamples.label}
      </Button>
      <p className="small muted">
        Four small Llamas of 1.2 M parameters, merged with VaRM. Nothing leaves your machine.
      </p>
    </div>
  );
}
