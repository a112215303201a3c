import { Button, Menu, type MenuProps } from "@mantine/core";
import { Fragment, useRef } from "react";
import { useStore } from "zustand";
import { type MethodCard, namedModels, type ParamCard } from "../../../engine/contract/index.ts";
import { Section } from "../../parts/Section.tsx";
import { switchMethod } from "../../stores/recipeStore.ts";
import type { Studio } from "../../stores/studio.ts";
import {
  OUTPUT_FIELD,
  VOCABULARY_FIELD,
  withOutput,
  withSetting,
  withVocabulary,
} from "./edits.ts";
import { ParamField } from "./ParamField.tsx";

/** Groups of the menu, by what a method does with a base. */
const GROUPS: readonly (readonly [base: MethodCard["base"], label: string])[] = [
  ["required", "Over a base"],
  ["optional", "With or without a base"],
  ["none", "Without a base"],
];

/** More methods than fit scroll, above or below the button, wherever there is more room. */
const WITHIN_WINDOW: NonNullable<MenuProps["middlewares"]> = {
  flip: true,
  shift: true,
  size: {
    padding: 8,
    apply({ availableHeight, elements }) {
      elements.floating.style.maxHeight = `${Math.max(160, availableHeight)}px`;
    },
  },
};

/** The method: one sentence, its paper, and a form drawn from its own card. */
export function MethodPanel({ studio }: { readonly studio: Studio }) {
  const methods = useStore(studio.environment, (state) => state.methods);
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  const findings = useStore(studio.forecast, (state) => state.plan?.findings);
  const curves = useStore(studio.forecast, (state) => state.curves);
  const method = methods.find(({ id }) => id === recipe.method);
  // A method without a base sets it aside; the next one that has a base takes it up again.
  const spareBase = useRef<string | undefined>(undefined);
  if (recipe.base !== undefined) spareBase.current = recipe.base;
  const choose = (id: string) => {
    const next = methods.find((card) => card.id === id);
    if (!next) return;
    const spare = spareBase.current;
    const base = namedModels(recipe).some((model) => model === spare) ? undefined : spare;
    studio.recipe.edit(switchMethod(recipe, next, recipe.base ?? base));
  };
  return (
    <Section title="Method">
      <div className="panel method">
        <div className="row spread">
          <b className="ellipsis">{method?.title ?? recipe.method}</b>
          <Menu position="bottom-end" width={300} middlewares={WITHIN_WINDOW}>
            <Menu.Target>
              <Button variant="subtle" size="compact-sm" aria-label="Change the method">
                Change
              </Button>
            </Menu.Target>
            <Menu.Dropdown className="method-menu">
              {GROUPS.map(([base, label]) => (
                <Fragment key={base}>
                  <Menu.Label>{label}</Menu.Label>
                  {methods
                    .filter((card) => card.base === base)
                    .map(({ id, title, summary }) => (
                      <Menu.Item
                        key={id}
                        onClick={() => choose(id)}
                        {...(id === recipe.method ? { "aria-current": "true" } : {})}
                      >
                        <b>{title}</b>
                        <div className="small muted">{summary}</div>
                      </Menu.Item>
                    ))}
                </Fragment>
              ))}
            </Menu.Dropdown>
          </Menu>
        </div>
        {method && (
          <>
            <p className="small muted">
              {method.summary}{" "}
              <a href={method.paper.url} target="_blank" rel="noreferrer">
                {method.paper.label}
              </a>
            </p>
            {method.params
              .filter(({ scope }) => scope === "global")
              .map((param) => (
                <Fragment key={param.name}>
                  <ParamField
                    param={param}
                    value={recipe.parameters[param.name]}
                    curves={curves.filter(
                      ({ parameter, model }) => parameter === param.name && model === null,
                    )}
                    onChange={(value) =>
                      studio.recipe.edit({
                        ...recipe,
                        parameters: withSetting(recipe.parameters, param.name, value),
                      })
                    }
                  />
                  {findings
                    ?.filter(({ setting }) => setting === param.name)
                    .map(({ message }) => (
                      <p key={message} className="small muted field-note">
                        {message}
                      </p>
                    ))}
                </Fragment>
              ))}
            <ParamField
              param={OUTPUT_FIELD}
              value={recipe.outDtype ?? recipe.dtype}
              onChange={(value) => studio.recipe.edit(withOutput(recipe, value))}
            />
            <ParamField
              param={{
                ...VOCABULARY_FIELD,
                options: [...VOCABULARY_FIELD.options, ...namedModels(recipe)],
              }}
              value={recipe.tokenizer?.source}
              onChange={(value) => studio.recipe.edit(withVocabulary(recipe, value))}
            />
            <FieldHelp params={[...method.params, OUTPUT_FIELD, VOCABULARY_FIELD]} />
          </>
        )}
      </div>
    </Section>
  );
}

/** What each field of the form does, for those who have no pointer to rest on it too. */
function FieldHelp({ params }: { readonly params: readonly ParamCard[] }) {
  return (
    <details className="fold field-help">
      <summary>
        <span className="small">What the fields mean</span>
      </summary>
      <dl className="small">
        {params.map(({ name, label, help }) => (
          <Fragment key={name}>
            <dt>{label}</dt>
            <dd className="muted">{help}</dd>
          </Fragment>
        ))}
      </dl>
    </details>
  );
}
