import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type * as contract from "../engine/contract/index.ts";
import type * as pipelineFile from "../engine/pipeline/pipelineFile.ts";
import type * as trainingSettings from "../engine/train/settings.ts";
import type * as settingOptions from "./settingOptions.ts";

const run = promisify(execFile);
const ROOT = process.cwd();
const COPIED = ["src", "shaders", "package.json"];
/** The engine and the page know all there is of a setting's type; the terminal stands over both. */
const CONFIGS = ["tsconfig.base.json", "tsconfig.engine.json", "tsconfig.ui.json"];
const TABLE = "src/engine/contract/trainingSettings.ts";
const END_OF_TABLE = "} as const satisfies SettingTable;";

let copy: string;
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), "fusestudio-setting-"));
  for (const path of [...COPIED, ...CONFIGS]) {
    await cp(join(ROOT, path), join(copy, path), { recursive: true });
  }
  await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
  const page = await readFile(join(ROOT, "docs", "adding-a-setting.md"), "utf8");
  const [entry, use] = [...page.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)];
  expect(entry?.[1]).toBe(TABLE);
  const table = await readFile(join(copy, TABLE), "utf8");
  expect(table.split(END_OF_TABLE)).toHaveLength(2);
  const longer = table.replace(END_OF_TABLE, () => `${entry?.[2]}${END_OF_TABLE}`);
  await writeFile(join(copy, TABLE), longer);
  await writeFile(join(copy, use?.[1] as string), use?.[2] as string);
}, 60_000);
afterAll(() => rm(copy, { recursive: true, force: true }));

const load = <Module>(path: string): Promise<Module> =>
  import(/* @vite-ignore */ join(copy, "src", path));

test("who follows docs/adding-a-setting.md has types that hold", async () => {
  const tsc = join(ROOT, "node_modules", ".bin", "tsc");
  await Promise.all(CONFIGS.slice(1).map((config) => run(tsc, ["-p", config], { cwd: copy })));
}, 60_000);

test("the setting is an option, a field, a key, a check and a default without another file touched", async () => {
  // The types are those of the table without the setting.
  const { TRAINING_SETTINGS: table, TRAINING_DEFAULTS } = await load<typeof contract>(
    "engine/contract/index.ts",
  );
  const { studio, fusellm } = TRAINING_DEFAULTS;
  const name = "labelSmoothing";
  expect([studio, fusellm].map((settings) => Reflect.get(settings, name))).toEqual([0, 0.1]);

  const terminal = await load<typeof settingOptions>("cli/settingOptions.ts");
  expect(terminal.settingOptions(table)["label-smoothing"]).toEqual({
    value: "X",
    help: "Part of the text’s probability that is shared out among all tokens. From 0 to 0.5; 0 unless the profile says otherwise.",
  });
  const typed = (text: string) =>
    Reflect.get(terminal.readSettings(table, { "label-smoothing": text }, studio), name);
  expect(typed("0.25")).toBe(0.25);
  expect(() => typed("0.6")).toThrow('is "0.6"; it must be a number from 0 to 0.5.');

  const { formFields } = await load<{
    formFields(...form: readonly unknown[]): readonly { readonly key: string }[];
  }>("ui/parts/fields.ts");
  const fields = formFields(table, studio, "mode");
  expect(fields.find(({ key }) => key === name)).toMatchObject({
    card: { kind: "number", label: "Label smoothing", min: 0, max: 0.5 },
  });

  const { parsePipeline } = await load<typeof pipelineFile>("engine/pipeline/pipelineFile.ts");
  const written = (value: string) =>
    parsePipeline(`pivot: a\nsources: [b]\ndata: c\ntrain: {label_smoothing: ${value}}`).training;
  expect(Reflect.get(written("0.5"), name)).toBe(0.5);
  expect(() => written("-1")).toThrow('"train.label_smoothing" must be a number from 0 to 0.5.');

  const { checkTrainingSettings } = await load<typeof trainingSettings>("engine/train/settings.ts");
  const tooMuch = { ...studio, [name]: 0.51 } as typeof studio;
  expect(() => checkTrainingSettings(tooMuch)).toThrow(
    "labelSmoothing is 0.51; it must be a number from 0 to 0.5.",
  );
  const { [name]: _, ...stored } = studio as typeof studio & { readonly [name]: number };
  expect(Reflect.get(checkTrainingSettings(stored), name)).toBe(0);

  const { targetProbability } = await load<{ targetProbability(of: object): number }>(
    "engine/train/smoothing.ts",
  );
  expect(targetProbability(fusellm)).toBe(0.9);
}, 60_000);
