import type { FusionCard, FusionDomain, FusionMember } from "../engine/contract/index.ts";

/** Figures of a fusion, for programs and for people. */
export function fusionReport(card: FusionCard): {
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: string;
} {
  const { rows, bytes, documents, dropped, vocabSize } = card;
  return {
    json: {
      ...figures(card),
      documents,
      bytes,
      vocabSize,
      dropped,
      profile: card.settings.profile,
      domains: card.domains.map((domain) => ({
        domain: domain.domain,
        documents: domain.documents,
        bytes: domain.bytes,
        ...figures(domain),
      })),
    },
    text: [
      `${documents} documents, ${rows} rows, ${bytes} bytes.`,
      ...table({ ...card, domain: "all" }),
      ...(card.domains.length > 1 ? card.domains.flatMap(table) : []),
    ].join("\n"),
  };
}

/** Figures of the first source; all sources are in `sources`. */
function figures({ rows, members }: Pick<FusionDomain, "rows" | "members">) {
  const [pivot, ...sources] = members as readonly [FusionMember, ...FusionMember[]];
  const [first] = sources;
  const coverage = (member: FusionMember) => (rows > 0 ? member.covered / rows : null);
  return {
    rows,
    coverage: first ? coverage(first) : null,
    pivotWins: pivot.wins,
    sourceWins: sources.reduce((sum, { wins }) => sum + wins, 0),
    bitsPerByte: { pivot: pivot.bitsPerByte, source: first?.bitsPerByte ?? null },
    pivot: { model: pivot.model, tokens: pivot.tokens, natsPerToken: pivot.natsPerToken },
    sources: sources.map((source) => ({
      model: source.model,
      wins: source.wins,
      coverage: coverage(source),
      bitsPerByte: source.bitsPerByte,
      natsPerToken: source.natsPerToken,
      tokens: source.tokens,
      reasons: source.reasons,
    })),
  };
}

function table({ domain, rows, members }: Pick<FusionDomain, "domain" | "rows" | "members">) {
  const percent = (part: number) => `${((100 * part) / Math.max(1, rows)).toFixed(1)} %`;
  return members.map(({ model, wins, covered, bitsPerByte }) =>
    [
      `${domain ?? "no domain"}: ${model}`.padEnd(36),
      `covers ${percent(covered)}`.padEnd(16),
      `wins ${percent(wins)}`.padEnd(14),
      `${bitsPerByte?.toFixed(4) ?? "–"} bits per byte`,
    ].join(" "),
  );
}
