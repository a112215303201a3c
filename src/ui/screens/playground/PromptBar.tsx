import { Button, SegmentedControl, Textarea } from "@mantine/core";
import type { KeyboardEvent } from "react";
import { useStore } from "zustand";
import { COMMANDS } from "../../stores/commands.ts";
import { clearColumns, isShownIn, playBlocked } from "../../stores/playgroundActions.ts";
import type { Studio } from "../../stores/studio.ts";

const MODES = [
  { value: "text", label: "Text" },
  { value: "chat", label: "Chat" },
] as const;

/** Prompt input with its buttons. */
export function PromptBar({ studio }: { readonly studio: Studio }) {
  const { mode, prompt, running, columns } = useStore(studio.playground);
  useStore(studio.library);
  useStore(studio.environment);
  const blocked = playBlocked(studio);
  const chat = mode === "chat";
  const talked = Object.values(columns).some((exchanges) =>
    exchanges.some((past) => isShownIn(mode, past)),
  );
  const press = (event: KeyboardEvent) => {
    const sends = chat ? !event.shiftKey : event.ctrlKey || event.metaKey;
    if (event.key !== "Enter" || !sends || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void COMMANDS.runPrompt.run(studio);
  };
  return (
    <div className="promptbar">
      <Textarea
        aria-label={chat ? "Message" : "Prompt"}
        className="promptbar-text"
        placeholder={chat ? "Write a message" : "Once upon a time"}
        autosize
        minRows={2}
        maxRows={7}
        value={prompt}
        onKeyDown={press}
        onChange={({ currentTarget }) =>
          studio.playground.setState({ prompt: currentTarget.value })
        }
      />
      <div className="promptbar-verbs">
        <SegmentedControl
          aria-label="Kind of prompt"
          size="xs"
          data={[...MODES]}
          value={mode}
          disabled={running}
          onChange={(next) =>
            studio.playground.setState({ mode: next === "chat" ? "chat" : "text" })
          }
        />
        {running ? (
          <Button variant="filled" onClick={() => COMMANDS.stopPrompt.run(studio)}>
            {COMMANDS.stopPrompt.label}
          </Button>
        ) : (
          <Button
            variant="filled"
            disabled={blocked !== null}
            title={blocked ?? (chat ? "Enter" : "Ctrl or ⌘ and Enter")}
            onClick={() => COMMANDS.runPrompt.run(studio)}
          >
            {chat ? "Send" : COMMANDS.runPrompt.label}
          </Button>
        )}
        {!running && !chat && (
          <Button
            disabled={blocked !== null}
            title={blocked ?? COMMANDS.readText.help}
            onClick={() => COMMANDS.readText.run(studio)}
          >
            {COMMANDS.readText.label}
          </Button>
        )}
        {!running && talked && (
          <Button variant="subtle" onClick={() => clearColumns(studio)}>
            {chat ? "New chat" : "Clear"}
          </Button>
        )}
        <p className="promptbar-why small muted" role="status">
          {blocked}
        </p>
      </div>
    </div>
  );
}
