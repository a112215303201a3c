import type { MethodCard } from "../../engine/contract/index.ts";

/** Methods to choose where the wanted one does not fit: both take any number of models. */
const WIDE = ["varm", "linear"];

const fits = ({ models }: MethodCard, beside: number) =>
  beside >= models.min && beside <= models.max;

/** Whether a method takes so many models, one of them as its base. */
export function takesBase(method: MethodCard, count: number): boolean {
  return method.base !== "none" && fits(method, count - 1);
}

function takes(method: MethodCard, count: number): boolean {
  return takesBase(method, count) || (method.base !== "required" && fits(method, count));
}

/**
 * The wanted method where it takes so many models, with or without a base among them; else one that
 * does.
 */
export function findMethodFor(
  methods: readonly MethodCard[],
  wanted: string,
  count: number,
): MethodCard | undefined {
  const preferred = [wanted, ...WIDE].flatMap(
    (id) => methods.find((method) => method.id === id) ?? [],
  );
  return [...preferred, ...methods].find((method) => takes(method, count)) ?? preferred[0];
}
