import { Checkbox } from "@mantine/core";
import { useStore } from "zustand";
import type { Finding, Recipe } from "../../../engine/contract/index.ts";
import { Note } from "../../parts/Note.tsx";
import type { Studio } from "../../stores/studio.ts";

/** What a recipe can allow, and the key of the findings that ask for it. */
const CONSENTS = [
  {
    setting: "allow_architecture_mismatch",
    field: "allowArchitectureMismatch",
    title: "Different architectures.",
    label: "Merge them all the same",
    help: "Only where one was relabelled and computes the same.",
  },
  {
    setting: "copy_code",
    field: "copyCode",
    title: "The model brings code.",
    label: "Copy the code into the result",
    help: "Whoever loads the result runs it: read it first.",
  },
  {
    setting: "fill_nan_rows",
    field: "fillNanRows",
    title: "Rows without numbers.",
    label: "Read them from a model that has numbers",
    help: "From the base, or else from the first model that has them.",
  },
] as const satisfies readonly {
  readonly setting: string;
  readonly field: keyof Recipe;
  readonly title: string;
  readonly label: string;
  readonly help: string;
}[];

/** True where the finding is shown with a box to tick. */
export function asksConsent({ setting }: Finding): boolean {
  return CONSENTS.some((consent) => consent.setting === setting);
}

interface ConsentsProps {
  readonly studio: Studio;
  readonly findings: readonly Finding[];
}

/** What the merge does only if a person says so: each with what it is about and a box to tick. */
export function Consents({ studio, findings }: ConsentsProps) {
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  return CONSENTS.map(({ setting, field, title, label, help }) => {
    const about = findings.filter((finding) => finding.setting === setting);
    const [first] = about;
    if (!first) return null;
    const tone = about.some(({ severity }) => severity === "error") ? "error" : first.severity;
    const allow = (allowed: boolean) => {
      const { [field]: _, ...rest } = recipe;
      studio.recipe.edit(allowed ? { ...rest, [field]: true } : rest);
    };
    return (
      <Note key={setting} tone={tone} title={title}>
        {about.map(({ message }) => message).join("\n")}
        <Checkbox
          mt={8}
          size="xs"
          label={label}
          description={help}
          checked={recipe[field] === true}
          onChange={({ currentTarget }) => allow(currentTarget.checked)}
        />
      </Note>
    );
  });
}
