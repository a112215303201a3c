import { useEffect, useState } from "react";
import { type PickedFile, takeDroppedFiles } from "./droppedFiles.ts";

/** Makes the whole window a drop target; returns true while files are dragged over it. */
export function useDropTarget(onFiles: (files: readonly PickedFile[]) => void): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    let depth = 0; // enter and leave fire for every element under the pointer
    const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent) => {
      if (!holdsFiles(event)) return;
      depth += 1;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!holdsFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const hover = (event: DragEvent) => {
      if (!holdsFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    };
    const drop = (event: DragEvent) => {
      if (!holdsFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      void takeDroppedFiles(event.dataTransfer).then(onFiles);
    };
    // Browsers send no pointer moves during a drag: one means that the drag ended elsewhere.
    const move = () => {
      depth = 0;
      setOver(false);
    };
    const ends = new AbortController();
    const listen = { signal: ends.signal };
    window.addEventListener("dragenter", enter, listen);
    window.addEventListener("dragleave", leave, listen);
    window.addEventListener("dragover", hover, listen);
    window.addEventListener("drop", drop, listen);
    window.addEventListener("pointermove", move, listen);
    return () => ends.abort();
  }, [onFiles]);
  return over;
}
