import { MantineProvider } from "@mantine/core";
import { useEffect } from "react";
import { useStore } from "zustand";
import type { PickedFile } from "../parts/droppedFiles.ts";
import { importFiles } from "../stores/actions.ts";
import { findRecipe, takeRecipe } from "../stores/recipeFile.ts";
import type { Studio } from "../stores/studio.ts";
import { cssVariablesResolver, theme } from "../theme/theme.ts";
import { EngineGone, ErrorBoundary } from "./ErrorBoundary.tsx";
import { Shell } from "./Shell.tsx";
import "./shell.css";

/** The page: header, rail and the current screen. */
export function App({ studio }: { readonly studio: Studio }) {
  const dead = useStore(studio.environment, (state) => state.dead);
  useEffect(() => {
    const follow = () => studio.route.follow(window.location.hash);
    const warn = (event: BeforeUnloadEvent) => {
      if (studio.jobs.getState().jobs?.some(({ state }) => state === "running")) {
        event.preventDefault();
      }
    };
    window.addEventListener("hashchange", follow);
    window.addEventListener("beforeunload", warn);
    return () => {
      window.removeEventListener("hashchange", follow);
      window.removeEventListener("beforeunload", warn);
    };
  }, [studio]);
  const take = (files: readonly PickedFile[]) => {
    const recipe = findRecipe(files);
    void (recipe ? takeRecipe(studio, recipe) : importFiles(studio, files));
  };
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariablesResolver}
      defaultColorScheme="auto"
    >
      <ErrorBoundary>
        {dead ? <EngineGone failure={dead} /> : <Shell studio={studio} onFiles={take} />}
      </ErrorBoundary>
    </MantineProvider>
  );
}
