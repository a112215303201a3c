import { useRef } from "react";
import { useStore } from "zustand";
import { type PickedFile, takePickedFiles } from "../parts/droppedFiles.ts";
import { Icon } from "../parts/Icon.tsx";
import { useDropTarget } from "../parts/useDropTarget.ts";
import { FuseScreen } from "../screens/fuse/FuseScreen.tsx";
import { LibraryScreen } from "../screens/library/LibraryScreen.tsx";
import { MergeScreen } from "../screens/merge/MergeScreen.tsx";
import { PlaygroundScreen } from "../screens/playground/PlaygroundScreen.tsx";
import { RunsScreen } from "../screens/runs/RunsScreen.tsx";
import type { Studio } from "../stores/studio.ts";
import { Downloads } from "./Downloads.tsx";
import { Header } from "./Header.tsx";
import { NoticeStack } from "./NoticeStack.tsx";
import { Palette } from "./Palette.tsx";
import { Rail } from "./Rail.tsx";

const SCREENS = {
  library: LibraryScreen,
  merge: MergeScreen,
  fuse: FuseScreen,
  playground: PlaygroundScreen,
  runs: RunsScreen,
} as const;

interface ShellProps {
  readonly studio: Studio;
  readonly onFiles: (files: readonly PickedFile[]) => void;
}

/** The frame round every screen, and the whole window as a place to drop. */
export function Shell({ studio, onFiles }: ShellProps) {
  const screen = useStore(studio.route, (state) => state.screen);
  const latest = useRef(onFiles);
  latest.current = onFiles;
  const take = useRef((files: readonly PickedFile[]) => {
    if (files.length === 0) {
      studio.notices.tell("Nothing to import", "There was no file in what you dropped.");
    } else latest.current(files);
  });
  const over = useDropTarget(take.current);
  const Screen = SCREENS[screen];
  const pick = (input: HTMLInputElement) => {
    const files = takePickedFiles(input.files);
    input.value = ""; // the same folder may be picked again
    if (files.length > 0) onFiles(files);
  };
  return (
    <div className="shell">
      <Rail screen={screen} />
      <Header studio={studio} screen={screen} />
      <main className="shell-main">
        <Screen studio={studio} />
      </main>
      <input
        id="pick-folder"
        type="file"
        webkitdirectory=""
        hidden
        aria-label="Choose a model folder"
        onChange={({ currentTarget }) => pick(currentTarget)}
      />
      <input
        id="pick-files"
        type="file"
        multiple
        hidden
        aria-label="Choose model files"
        onChange={({ currentTarget }) => pick(currentTarget)}
      />
      {over && (
        <div className="veil" role="status">
          <Icon name="drop" size={44} />
          <b>Drop to import</b>
          <span>Folders and files are copied into this browser’s storage, nowhere else.</span>
        </div>
      )}
      <NoticeStack studio={studio} />
      <Downloads studio={studio} />
      <Palette studio={studio} />
    </div>
  );
}
