// The page of `npm run bench -- nn`. Plain JavaScript: the types of tfjs bring WebGPU's of 2023 along.
import { reportNn } from "./nnReport.ts";

export async function run(options, print) {
  for await (const part of reportNn(navigator.gpu, { ...options, makeOthers: async () => [] })) {
    await print(part);
  }
}
