import { Button, Menu, Select } from "@mantine/core";
import { useStore } from "zustand";
import {
  FUSION_DEFAULTS,
  FUSION_SETTINGS,
  type FusionCard,
} from "../../../engine/contract/index.ts";
import { Empty } from "../../parts/Empty.tsx";
import { Facts } from "../../parts/Facts.tsx";
import { changedRules, sayValue } from "../../parts/fields.ts";
import { Note } from "../../parts/Note.tsx";
import { Section } from "../../parts/Section.tsx";
import { COMMANDS } from "../../stores/commands.ts";
import {
  exportFusion,
  FUSION_FORMATS,
  followedFusion,
  presentChecks,
} from "../../stores/fusionActions.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatBytes, formatCount, formatWhen } from "../../theme/format.ts";
import { DomainTable } from "./DomainTable.tsx";
import { FusionSteps } from "./FusionSteps.tsx";
import { fusionSteps } from "./fusionSteps.ts";
import { MemberTable } from "./MemberTable.tsx";

interface TotalsProps {
  readonly studio: Studio;
  readonly card: FusionCard | undefined;
}

/** Progress of the running fusion, and the totals of the one that is shown. */
export function TotalsPanel({ studio, card }: TotalsProps) {
  useStore(studio.jobs);
  useStore(studio.fusion, (state) => state.job);
  const job = followedFusion(studio);
  const notes = (card && job?.result?.fusion === card.id && job.result.notes) || [];
  return (
    <div className="fuse-middle">
      <FusionSteps steps={fusionSteps(job, card)} />
      {card ? <Totals studio={studio} card={card} notes={notes} /> : <NothingYet studio={studio} />}
    </div>
  );
}

function NothingYet({ studio }: { readonly studio: Studio }) {
  // These stores decide which checks fail.
  useStore(studio.fusion, (state) => state.draft);
  useStore(studio.library);
  useStore(studio.playground, (state) => state.cards);
  useStore(studio.environment);
  const running = followedFusion(studio)?.state === "running";
  const checks = presentChecks(studio);
  return (
    <Empty title={running ? "The models are reading" : "Nothing is fused yet"}>
      <p>
        Pivot and sources read the same text. Each source’s next-token distributions are brought to
        the pivot’s tokens, and for each text the model that foresees it best becomes the teacher.
      </p>
      {!running && checks.length > 0 && (
        <ul className="checks" aria-label="What is missing">
          {checks.map((check) => (
            <li key={check}>
              <Note tone="warning">{check}</Note>
            </li>
          ))}
        </ul>
      )}
      {!running && (
        <Button
          disabled={COMMANDS.tryFusion.blocked(studio) !== null}
          onClick={() => COMMANDS.tryFusion.run(studio)}
        >
          {COMMANDS.tryFusion.label}
        </Button>
      )}
    </Empty>
  );
}

interface TotalsOfProps {
  readonly studio: Studio;
  readonly card: FusionCard;
  /** Notes of the dataset's job, where it is known. */
  readonly notes: readonly string[];
}

function Totals({ studio, card, notes }: TotalsOfProps) {
  const fusions = useStore(studio.library, (state) => state.fusions) ?? [];
  const { name, documents, rows, bytes, dropped, origin } = card;
  const now = Date.now();
  return (
    <article className="totals" aria-label={name}>
      <div className="totals-head">
        <h2 className="ellipsis" title={name}>
          {name}
        </h2>
        <span className="small muted num">
          {formatCount(documents)} {documents === 1 ? "text" : "texts"} · {formatCount(rows)} rows ·{" "}
          {formatBytes(bytes)} of text{origin === "import" && " · imported"}
        </span>
        <span className="grow" />
        {fusions.length > 1 && (
          <Select
            aria-label="Fused dataset shown"
            size="xs"
            w={210}
            data={fusions.map((one) => ({
              value: one.id,
              label: `${one.name}, ${formatWhen(one.createdAt, now)}`,
            }))}
            value={card.id}
            allowDeselect={false}
            onChange={(id) => studio.fusion.setState({ shown: id })}
          />
        )}
        <Menu position="bottom-end">
          <Menu.Target>
            <Button size="xs">Export…</Button>
          </Menu.Target>
          <Menu.Dropdown>
            {FUSION_FORMATS.map(([format, words]) => (
              <Menu.Item key={format} onClick={() => exportFusion(studio, card, format)}>
                {words}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        <Button size="xs" onClick={() => studio.fusion.setState({ tab: "documents" })}>
          Look at the documents
        </Button>
      </div>
      {card.state === "partial" && (
        <Note tone="warning" title="Not finished.">
          It holds what was fused so far. Resume its run to go on.
        </Note>
      )}
      <Section title="Who teaches">
        <MemberTable members={card.members} rows={rows} />
      </Section>
      {card.domains.some(({ domain }) => domain !== null) && (
        <Section title="By domain">
          <DomainTable domains={card.domains} />
        </Section>
      )}
      <div className="totals-foot">
        <Section title="Left out">
          {dropped.length === 0 ? (
            <p className="small muted">Nothing: every row could be used.</p>
          ) : (
            <Facts rows={dropped.map(({ reason, count }) => [reason, formatCount(count)])} />
          )}
        </Section>
        <Section title="Rules it followed">
          <Rules card={card} />
        </Section>
        {notes.length > 0 && (
          <Section title="On the way">
            <ul className="totals-notes small muted num">
              {notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </Section>
        )}
      </div>
    </article>
  );
}

/** Profile of a fused dataset, and the settings that differ from it. */
function Rules({ card: { settings } }: { readonly card: FusionCard }) {
  const changed = changedRules(settings, FUSION_DEFAULTS[settings.profile]);
  return (
    <Facts
      rows={[
        ["Profile", sayValue(FUSION_SETTINGS.profile, settings.profile)],
        ...changed.map(
          ({ key, card }) =>
            [card.label, <b key={key}>{sayValue(card, settings[key])} (changed)</b>] as const,
        ),
      ]}
    />
  );
}
