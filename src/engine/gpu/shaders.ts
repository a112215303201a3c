import { invariant } from "../core/invariant.ts";

const texts = import.meta.glob<string>("/shaders/**/*.wgsl", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** The paths of all shaders below a folder of `shaders/`, such as `merge`. */
export function listShaders(folder: string): readonly string[] {
  const prefix = `/shaders/${folder}/`;
  return Object.keys(texts)
    .filter((path) => path.startsWith(prefix))
    .map((path) => path.slice("/shaders/".length));
}

/** The WGSL text of a file, by its path below `shaders/`. */
export function shaderText(path: string): string {
  const text = texts[`/shaders/${path}`];
  invariant(text !== undefined, `shaders/${path} exists`);
  return text;
}
