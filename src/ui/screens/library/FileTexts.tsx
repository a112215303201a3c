import { useState } from "react";
import { type ModelDetail, type ModelId, toFailure } from "../../../engine/contract/index.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatBytes } from "../../theme/format.ts";

interface FileTextsProps {
  readonly studio: Studio;
  readonly model: ModelId;
  readonly files: ModelDetail["files"];
}

/** Largest file that the engine returns as text, in bytes. */
const LONGEST_TEXT = 1_048_576;
/** Largest number of characters shown; the rest is cut off with a note. */
const SHOWN_CHARACTERS = 60_000;
const TEXT = /\.(json|txt|md|jinja|ya?ml|model_card)$|^LICENSE/i;

/** Files of a checkpoint; small texts open in place. */
export function FileTexts({ studio, model, files }: FileTextsProps) {
  const [open, setOpen] = useState<{ readonly path: string; readonly text: string } | null>(null);
  const read = async (path: string) => {
    const text = await studio.engine
      .readModelText({ model, path })
      .catch((error: unknown) => toFailure(error).message);
    setOpen({ path, text });
  };
  const isText = (path: string, byteLength: number) =>
    byteLength <= LONGEST_TEXT && TEXT.test(path.split("/").at(-1) ?? "");
  return (
    <ul className="files num">
      {files.map(({ path, byteLength }) => (
        <li key={path}>
          <div className="row spread">
            {isText(path, byteLength) ? (
              <button
                type="button"
                className="link mono"
                aria-expanded={open?.path === path}
                onClick={() => (open?.path === path ? setOpen(null) : void read(path))}
              >
                {path}
              </button>
            ) : (
              <span className="mono ellipsis" title={path}>
                {path}
              </span>
            )}
            <span className="muted">{formatBytes(byteLength)}</span>
          </div>
          {open?.path === path && (
            <pre className="file-text mono">
              {open.text.slice(0, SHOWN_CHARACTERS)}
              {open.text.length > SHOWN_CHARACTERS && "\n… the rest is not shown here."}
            </pre>
          )}
        </li>
      ))}
    </ul>
  );
}
