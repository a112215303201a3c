import { join } from "node:path";
import {
  createWarper,
  type DtwProfileName,
  dtwProfiles,
} from "../../../engine/fuse/align/warper.ts";
import { type Comparison, combine } from "../compare.ts";
import type { AlignmentCase } from "./alignmentCase.ts";
import { choiceCases } from "./choices.ts";
import { compareCost, compareGroups } from "./compareRows.ts";
import {
  type AlignmentManifest,
  type GoldenMaps,
  type GoldenText,
  type ListedPair,
  readAlignmentManifest,
  readGolden,
  readGoldenLines,
  type TokenStrings,
} from "./files.ts";
import { mapCases } from "./maps.ts";
import { modesOf, rowsOf } from "./modes.ts";
import { type Pair, runRows } from "./runText.ts";
import { type SyntheticCase, syntheticMaps, syntheticPair, syntheticTexts } from "./synthetic.ts";
import { targetCases } from "./targets.ts";
import { goldenMap, goldenVocabulary } from "./vocabularies.ts";

/** Every case of a folder of alignment goldens. */
export async function listAlignmentCases(folder: string): Promise<readonly AlignmentCase[]> {
  const manifest = await readAlignmentManifest(folder);
  const strings = (await readGolden(join(folder, "token_strings.json"))) as TokenStrings;
  const cases: AlignmentCase[] = [];
  for (const [path, listed] of Object.entries(manifest.files["align/*.jsonl"].list)) {
    const texts = (await readGoldenLines(join(folder, path))) as readonly GoldenText[];
    const maps = (await readGolden(join(folder, listed.maps))) as GoldenMaps;
    const pair = openPair(manifest, strings, listed);
    const name = path.replace(/\.jsonl$/, "");
    cases.push(...pairCases(name, listed.profile, pair, maps, texts));
  }
  const synthetic = await readGoldenLines(join(folder, "synthetic.jsonl"));
  for (const one of synthetic as readonly SyntheticCase[]) cases.push(...syntheticCases(one));
  return [...cases, ...(await choiceCases(folder)), ...(await targetCases(folder))];
}

function openPair(manifest: AlignmentManifest, strings: TokenStrings, listed: ListedPair): Pair {
  const open = (name: string) => goldenVocabulary(manifest.tokenizers[name]!, strings[name] ?? {});
  return { pivot: open(listed.pivot), source: open(listed.source) };
}

function pairCases(
  name: string,
  profile: DtwProfileName,
  pair: Pair,
  maps: GoldenMaps,
  texts: readonly GoldenText[],
): readonly AlignmentCase[] {
  const groups = () => {
    const warp = createWarper(profile, pair.pivot, pair.source);
    return combine(
      texts.flatMap((text) => [
        ...compareWarping(warp, text.pivot_ids, text.source_ids, text),
        ...comparePadded(warp, text),
      ]),
    );
  };
  const modes = modesOf(profile).map((mode) => ({
    name: `${name}/${mode.name}`,
    run: () =>
      combine(
        runRows(
          pair,
          mode,
          goldenMap(maps, mode.map),
          texts.map((text) => ({
            pivotIds: text.pivot_ids,
            sourceIds: text.source_ids,
            rows: text.src_rows,
            want: rowsOf(text.rows, profile, mode)!,
          })),
        ),
      ),
  }));
  const ids = texts.map((text) => ({ pivotIds: text.pivot_ids, sourceIds: text.source_ids }));
  const ofMaps = mapCases(profile, pair, maps, ids).map((one) => ({
    ...one,
    name: `${name.replace(/^align\//, "maps/")}/${one.name}`,
  }));
  return [{ name: `${name}/groups`, run: groups }, ...modes, ...ofMaps];
}

type Warper = ReturnType<typeof createWarper>;

function compareWarping(
  warp: Warper,
  pivotIds: readonly number[],
  sourceIds: readonly number[],
  want: Pick<GoldenText, "groups" | "cost">,
): readonly Comparison[] {
  const got = warp({ pivot: Uint32Array.from(pivotIds), source: Uint32Array.from(sourceIds) });
  return [compareGroups(got.groups, want.groups), compareCost(got.cost, want.cost)];
}

/** FuseChat's scripts align texts that are filled up to one length; so are a few of the goldens. */
function comparePadded(warp: Warper, { padded, pivot_ids, source_ids }: GoldenText) {
  if (!padded) return [];
  const fill = (ids: readonly number[], pad: number) => [
    ...ids,
    ...Array.from({ length: padded.length - ids.length }, () => pad),
  ];
  const pivot = fill(pivot_ids, padded.pivot_pad);
  return compareWarping(warp, pivot, fill(source_ids, padded.source_pad), padded);
}

function syntheticCases(one: SyntheticCase): readonly AlignmentCase[] {
  const pair = syntheticPair(one);
  return (Object.keys(dtwProfiles) as DtwProfileName[]).map((profile) => ({
    name: `synthetic/${one.case}/${profile}`,
    run: () => {
      const texts = syntheticTexts(one, profile);
      const maps = syntheticMaps(one, profile);
      const warp = createWarper(profile, pair.pivot, pair.source);
      const groups = texts.flatMap(({ pivotIds, sourceIds, golden }) =>
        compareWarping(warp, pivotIds, sourceIds, golden),
      );
      const rows = modesOf(profile).flatMap((mode) => {
        const wanted = texts.map((text) => ({
          ...text,
          want: rowsOf(text.golden, profile, mode)!,
        }));
        return runRows(pair, mode, goldenMap(maps, mode.map), wanted);
      });
      const ofMaps = mapCases(profile, pair, maps, texts).map(({ run }) => run());
      return combine([...groups, ...rows, ...ofMaps]);
    },
  }));
}
