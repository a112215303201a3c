import { TOKEN_ROLES, type Vocabulary } from "../text/tokenizers/vocabulary.ts";

/** A token as it is compared across tokenizers, and its text. */
interface ComparedToken {
  /** The same for the same token of two tokenizers. */
  readonly key: string;
  /** Its spelling on file with a space for the mark of a word's start; a special one's role. */
  readonly text: string;
}

/** The mark that a vocabulary spells a word's start with. */
function wordMark({ ids }: Vocabulary): string {
  let [sentencePiece, byteLevel] = [0, 0];
  for (const token of ids.keys()) {
    if (token.startsWith("▁")) sentencePiece++;
    else if (token.startsWith("Ġ")) byteLevel++;
  }
  return sentencePiece > byteLevel ? "▁" : "Ġ";
}

/**
 * Comparison of tokens as in mergekit-tokensurgeon: the mark of a word's start counts as such however
 * it is spelled, a special token is its role, and all others are their strings on file.
 */
function comparing(vocabulary: Vocabulary): (token: string) => ComparedToken {
  const mark = wordMark(vocabulary);
  const roles = new Map<string, string>();
  for (const role of TOKEN_ROLES) {
    const token = vocabulary.roles.get(role);
    if (token !== undefined && !roles.has(token)) roles.set(token, role);
  }
  return (token) => {
    if (token.startsWith(mark)) {
      const rest = token.slice(mark.length);
      return { key: `word ${rest}`, text: ` ${rest}` };
    }
    const role = roles.get(token);
    if (role !== undefined) return { key: `role ${role}`, text: `${role}_token` };
    return { key: `text ${token}`, text: token };
  };
}

/** Tokens of a donor beside those of a model. */
export interface TokenMatch {
  /** Rows of the result: one more than the donor's highest id. */
  readonly count: number;
  /** By id of the donor, the model's row of the same token; −1 where it has none. */
  readonly own: Int32Array;
  /** Ids of the donor's tokens that the model lacks, rising. */
  readonly added: Int32Array;
  /** Texts of these tokens. */
  readonly texts: readonly string[];
  /** Tokens of both, by rising id of the donor: their rows in either model. */
  readonly shared: { readonly donor: Int32Array; readonly own: Int32Array };
}

/** Matches tokens that have a row: ids below `donorRows` and `ownRows`. */
export function matchTokens(
  donor: Vocabulary,
  own: Vocabulary,
  { donorRows, ownRows }: { readonly donorRows: number; readonly ownRows: number },
): TokenMatch {
  const [ofDonor, ofOwn] = [comparing(donor), comparing(own)];
  const rows = new Map<string, number>();
  for (const [token, id] of own.ids) if (id < ownRows) rows.set(ofOwn(token).key, id);
  const sorted = [...donor.ids].sort(([, a], [, b]) => a - b);
  const count = Math.max(donor.ids.size, (sorted.at(-1)?.[1] ?? -1) + 1);
  const ownByDonor = new Int32Array(count).fill(-1);
  const added: number[] = [];
  const texts: string[] = [];
  const shared: (readonly [donor: number, own: number])[] = [];
  for (const [token, id] of sorted) {
    if (id >= donorRows) break;
    const { key, text } = ofDonor(token);
    const row = rows.get(key);
    if (row === undefined) {
      added.push(id);
      texts.push(text);
    } else {
      ownByDonor[id] = row;
      shared.push([id, row]);
    }
  }
  return {
    count,
    own: ownByDonor,
    added: Int32Array.from(added),
    texts,
    shared: {
      donor: Int32Array.from(shared, ([id]) => id),
      own: Int32Array.from(shared, ([, row]) => row),
    },
  };
}
