import type { Vocabulary } from "../../../engine/fuse/align/types.ts";
import { remark } from "../../../engine/fuse/align/vocabulary.ts";
import type { DtwProfileName } from "../../../engine/fuse/align/warper.ts";
import type { GoldenMaps, GoldenRow, GoldenText } from "./files.ts";
import type { Pair } from "./runText.ts";
import { vocabularyOf } from "./vocabularies.ts";

/** What the reference answered for one profile: groups, cost, and rows by mode. */
type Answer = Pick<GoldenText, "groups" | "cost"> & Readonly<Record<string, unknown>>;

interface SyntheticText {
  readonly pivot_ids: readonly number[];
  readonly source_ids: readonly number[];
  readonly src_rows: readonly GoldenRow[];
  readonly fusellm: Answer;
  readonly "fusechat-v1": Answer;
  readonly "fusechat-v2": Answer;
}

interface Counted {
  readonly counts: NonNullable<GoldenMaps["counts"]>;
  readonly ms: readonly number[];
}

/** A line of `synthetic.jsonl`: two small vocabularies in full, and texts. */
export interface SyntheticCase {
  readonly case: number;
  readonly pivot_marker: Vocabulary["marker"];
  readonly source_marker: Vocabulary["marker"];
  readonly pivot_vocab: readonly string[];
  readonly source_vocab: readonly string[];
  readonly pivot_decoded: readonly string[];
  readonly source_decoded: readonly string[];
  readonly mined: readonly number[];
  readonly "fusechat-v1": Counted;
  readonly "fusechat-v2": Counted;
  readonly texts: readonly SyntheticText[];
}

const [UNK, BOS, EOS] = [0, 1, 2];

export function syntheticPair(one: SyntheticCase): Pair {
  const open = (
    marker: Vocabulary["marker"],
    pieces: readonly string[],
    decoded: readonly string[],
  ) =>
    vocabularyOf({
      marker,
      className: null,
      bosId: BOS,
      eosId: EOS,
      unkId: UNK,
      pieces: new Map(pieces.entries()),
      decoded: new Map(decoded.entries()),
    });
  return {
    pivot: open(one.pivot_marker, one.pivot_vocab, one.pivot_decoded),
    source: open(one.source_marker, one.source_vocab, one.source_decoded),
  };
}

function byId<T>(targets: readonly T[]): Readonly<Record<string, T>> {
  return Object.fromEntries(targets.entries());
}

export function syntheticMaps(one: SyntheticCase, profile: DtwProfileName): GoldenMaps {
  const { pivot, source } = syntheticPair(one);
  const exact = one.source_vocab.map((piece) => pivot.idOf(remark(piece, source, pivot)) ?? null);
  const counted = profile === "fusellm" ? undefined : one[profile];
  return {
    exact: byId(exact),
    mined: byId(one.mined),
    ...(counted && { counts: counted.counts, ms: byId(counted.ms) }),
  };
}

/** FuseLLM ends its texts, FuseChat also begins them; its rows have one for each. */
export function syntheticTexts(one: SyntheticCase, profile: DtwProfileName) {
  const bare = profile === "fusellm";
  const whole = (ids: readonly number[]) => [...(bare ? [] : [BOS]), ...ids, EOS];
  return one.texts.map((text) => ({
    pivotIds: whole(text.pivot_ids),
    sourceIds: whole(text.source_ids),
    rows: text.src_rows.slice(bare ? 1 : 0),
    golden: text[profile],
  }));
}
