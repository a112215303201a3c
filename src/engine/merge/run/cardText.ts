import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { nameInHubCache } from "../../checkpoint/hubNames.ts";
import { EngineError } from "../../contract/index.ts";
import { readAll } from "../../core/bytes.ts";
import { readYaml } from "../recipe/yamlNodes.ts";

const README_LIMIT = 1 << 20;
const FRONT_MATTER = /^\uFEFF?---\r?\n([\s\S]{0,65536}?)\r?\n---[ \t]*(\r?\n|$)/;
const LICENCE = /^[a-z0-9][a-z0-9.-]{0,63}$/;
const HUB_ID = /^\w[\w.-]*\/\w[\w.-]*$/;

/** The licence that a checkpoint's README names in its front matter, or null. */
export async function readLicence({ files }: Checkpoint): Promise<string | null> {
  const source = files.get("README.md");
  if (!source || source.byteLength > README_LIMIT) return null;
  const text = new TextDecoder().decode(await readAll(source, README_LIMIT));
  const front = FRONT_MATTER.exec(text)?.[1];
  if (front === undefined) return null;
  try {
    const yaml = readYaml(front);
    const stated = yaml.entries(yaml.root)?.find(({ key }) => key === "license");
    const licence = stated ? yaml.scalar(stated.value)?.text : undefined;
    return licence !== undefined && LICENCE.test(licence) ? licence : null;
  } catch (error) {
    // Somebody else's README may hold anything; it is no reason to refuse a merge.
    if (error instanceof EngineError) return null;
    throw error;
  }
}

/**
 * What a model's repository is called: `owner/name` for a Hub id or a folder of the Hub's cache, else
 * the last part of the path.
 */
export function repositoryName(model: string): string {
  const cached = nameInHubCache(model);
  if (cached !== null) return cached;
  if (HUB_ID.test(model)) return model;
  const parts = model.split(/[\\/]+/).filter((part) => part !== "" && part !== ".");
  return parts.at(-1) ?? model;
}

/** Text that Markdown shows as it is, on one line. */
export function escapeMarkdown(text: string): string {
  const oneLine = text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
  return oneLine.replace(/[\\`*_{}[\]()#+!|<>~&$]/g, "\\$&");
}

/** A fenced block that its own content cannot close. */
export function fence(language: string, content: string): string {
  let longest = 2;
  for (const [run] of content.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  const marks = "`".repeat(longest + 1);
  return `${marks}${language}\n${content}${marks}`;
}
