import { expect } from "vitest";
import { type KernelBench, randomValues } from "../../runtime/kernels/kernelBench.ts";

/** Inputs of an operation by name, in float64. */
export type Inputs = Readonly<Record<string, Float64Array>>;

/** An operation by its definition, and its backward pass on the GPU. */
export interface Differentiable {
  readonly inputs: Readonly<Record<string, Float32Array<ArrayBuffer>>>;
  /** Output in float64. */
  forward(inputs: Inputs): readonly number[];
  /** Gradients of Σ dy · forward with respect to some inputs, from the GPU. */
  backward(
    bench: KernelBench,
    dy: Float32Array<ArrayBuffer>,
  ): Promise<Readonly<Record<string, Float32Array>>>;
}

/**
 * Step of central differences, whose error is h² · f‴ / 6 plus rounding / h: about 1e-8 for
 * functions near 1.
 */
const STEP = 1e-4;

/**
 * Largest difference between the kernels' gradients and central differences, relative to each
 * input's largest gradient, or to a tenth where all are smaller.
 */
export async function gradientError(
  bench: KernelBench,
  operation: Differentiable,
  dy: Float32Array<ArrayBuffer>,
): Promise<number> {
  const exact = Object.fromEntries(
    Object.entries(operation.inputs).map(([name, values]) => [name, Float64Array.from(values)]),
  );
  const objective = () => {
    const values = operation.forward(exact);
    if (values.length !== dy.length) throw new Error(`${values.length} values, ${dy.length} dy`);
    return values.reduce((sum, value, i) => sum + value * (dy[i] as number), 0);
  };
  const gradients = await operation.backward(bench, dy);
  let worst = 0;
  for (const [name, got] of Object.entries(gradients)) {
    const want = differences(exact[name] as Float64Array, objective);
    const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0.1);
    if (got.length !== want.length) throw new Error(`${got.length} gradients of ${name}`);
    for (const [i, value] of want.entries()) {
      const error = Math.abs((got[i] as number) - value) / largest;
      if (!(error <= worst)) worst = error;
    }
  }
  return worst;
}

/**
 * Float32 sums of some tens of products, and exponentials of scores below ten: 5e-7 was measured, at
 * most. A wrong sign or a forgotten term costs 1e-1.
 */
export const GRADIENT_BOUND = 3e-6;

/** Compares an operation's gradients with central differences, for a random dy of `outputs` values. */
export async function checkGradients(
  bench: KernelBench,
  operation: Differentiable,
  outputs: number,
): Promise<void> {
  const error = await gradientError(bench, operation, randomValues(outputs, 99));
  expect(error).toBeLessThanOrEqual(GRADIENT_BOUND);
}

function differences(x: Float64Array, objective: () => number): Float64Array {
  return x.map((value, i) => {
    x[i] = value + STEP;
    const above = objective();
    x[i] = value - STEP;
    const below = objective();
    x[i] = value;
    return (above - below) / (2 * STEP);
  });
}
