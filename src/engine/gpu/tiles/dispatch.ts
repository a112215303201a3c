/** Encodes one dispatch of a pipeline over its bindings of group 0, in order. */
export function run(
  device: GPUDevice,
  encoder: GPUCommandEncoder,
  pipeline: GPUComputePipeline,
  bindings: readonly GPUBufferBinding[],
  [groups = 1, more = 1]: readonly number[],
): void {
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: bindings.map((resource, binding) => ({ binding, resource })),
    }),
  );
  pass.dispatchWorkgroups(groups, more);
  pass.end();
}

/** What `take` makes of a buffer's first bytes, once the GPU has written them. */
export async function readMapped<T>(
  buffer: GPUBuffer,
  byteLength: number,
  take: (mapped: ArrayBuffer) => T,
): Promise<T> {
  await buffer.mapAsync(GPUMapMode.READ, 0, byteLength);
  try {
    return take(buffer.getMappedRange(0, byteLength));
  } finally {
    buffer.unmap();
  }
}
