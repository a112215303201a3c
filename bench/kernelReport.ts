import { type BenchDType, timeKernels } from "./kernels.ts";
import { formatRatio, formatTable } from "./table.ts";

/** The kernels beside the copy, as Markdown. Runs in Node and, by bench/chromium.mjs, in a page. */
export async function reportKernels(
  webgpu: GPU | undefined,
  dtypes: readonly BenchDType[],
  quick: boolean,
): Promise<string> {
  const elements = quick ? 2 ** 20 : 2 ** 22;
  const rows: (readonly string[])[] = [];
  let about = "";
  for (const dtype of dtypes) {
    const repetitions = quick ? 5 : 15;
    const { adapter, clock, times } = await timeKernels(webgpu, { dtype, elements, repetitions });
    about = `${adapter}; tiles of ${elements} elements, medians by ${clock}`;
    for (const { kernel, seconds, movedBytes, toCopy } of times) {
      const speed = (movedBytes / seconds / 1e9).toFixed(2);
      rows.push([dtype, kernel, (seconds * 1e3).toFixed(2), speed, formatRatio(toCopy)]);
    }
  }
  return `${about}\n\n${formatTable(["dtype", "kernel", "ms", "GB/s moved", "× copy"], rows)}\n`;
}
