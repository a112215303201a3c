import { Suspense, useEffect, useRef } from "react";
import { useStore } from "zustand";
import { type PickedFile, takePickedFiles } from "../parts/droppedFiles.ts";
import { Icon } from "../parts/Icon.tsx";
import { useDropTarget } from "../parts/useDropTarget.ts";
import type { Studio } from "../stores/studio.ts";
import { Downloads } from "./Downloads.tsx";
import { Header } from "./Header.tsx";
import { MixtureOffer } from "./MixtureOffer.tsx";
import { NoticeStack } from "./NoticeStack.tsx";
import { Palette } from "./Palette.tsx";
import { Rail } from "./Rail.tsx";
import { RecipeOffer } from "./RecipeOffer.tsx";
import { findScreen, preloadScreens } from "./screens.ts";

interface ShellProps {
  readonly studio: Studio;
  readonly onFiles: (files: readonly PickedFile[]) => void;
}

/** Frame around every screen; the whole window is a drop target. */
export function Shell({ studio, onFiles }: ShellProps) {
  const screen = useStore(studio.route, (state) => findScreen(state.screen));
  useEffect(preloadScreens, []);
  const latest = useRef(onFiles);
  latest.current = onFiles;
  const take = useRef((files: readonly PickedFile[]) => {
    if (files.length === 0) {
      studio.notices.tell("Nothing to import", "There was no file in what you dropped.");
    } else latest.current(files);
  });
  const over = useDropTarget(take.current);
  const pick = (input: HTMLInputElement) => {
    const files = takePickedFiles(input.files);
    input.value = ""; // the same folder may be picked again
    if (files.length > 0) onFiles(files);
  };
  return (
    <div className="shell">
      <Rail screen={screen.id} />
      <Header studio={studio} screen={screen} />
      <main className="shell-main">
        <Suspense fallback={<div aria-busy="true" />}>
          <screen.View studio={studio} />
        </Suspense>
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
      <RecipeOffer studio={studio} />
      <MixtureOffer studio={studio} />
      <Palette studio={studio} />
    </div>
  );
}
