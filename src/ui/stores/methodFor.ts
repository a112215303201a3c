import type { MethodCard } from "../../engine/contract/index.ts";

/** What is taken where the method that was chosen does not fit: both take any number of models. */
const WIDE = ["varm", "linear"];

const fits = ({ models }: MethodCard, beside: number) =>
  beside >= models.min && beside <= models.max;

/** True where the method takes so many models with one of them as its base. */
export function takesBase(method: MethodCard, count: number): boolean {
  return method.base !== "none" && fits(method, count - 1);
}

function takes(method: MethodCard, count: number): boolean {
  return takesBase(method, count) || (method.base !== "required" && fits(method, count));
}

/** The wanted method where it takes so many models, with a base among them or without; else one that does. */
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
