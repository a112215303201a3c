// The page of `npm run bench -- nn`. Plain JavaScript: the types of tfjs bring WebGPU's of 2023 along.
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import { reportNn } from "./nnReport.ts";

/** The matMul of tfjs on our device, which is told of its work by a flush. */
async function makeTfjs({ device }, note) {
  const { info } = await navigator.gpu.requestAdapter();
  device.addEventListener("uncapturederror", ({ error }) => note(error.message.slice(0, 300)));
  const backend = new WebGPUBackend(device, info);
  // Its kernels are registered for this name, and with them a backend on a device of its own.
  tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => backend);
  await tf.setBackend("webgpu");
  return {
    name: "tfjs",
    async prepare({ rows, inputs, outputs }, { x, columns }) {
      const operands = [tf.tensor2d(x, [rows, inputs]), tf.tensor2d(columns, [inputs, outputs])];
      let product = null;
      return {
        async submit() {
          product?.dispose();
          product = tf.matMul(...operands);
          backend.endComputePassEncoder();
          backend.submitQueue();
        },
        read: () => product.data(),
        release: () => tf.dispose([...operands, product]),
      };
    },
  };
}

export async function run(choices, print, note) {
  const makeOthers = async (gpu) => [await makeTfjs(gpu, note)];
  const options = { ...choices, makeOthers, note };
  for await (const part of reportNn(navigator.gpu, options)) await print(part);
}
