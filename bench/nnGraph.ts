import type { MatmulShape } from "./nnMatmul.ts";

/** A field of a protobuf message: a number, a text, bytes, or a message of fields. */
type Field = readonly [
  number: number,
  value: number | string | Uint8Array<ArrayBuffer> | readonly Field[],
];

const FLOAT = 1;
const IR_VERSION = 10;
const OPSET = 13;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

function encode(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const [number, value] of fields) {
    if (typeof value === "number") {
      parts.push(Uint8Array.from([...varint(8 * number), ...varint(value)]));
      continue;
    }
    const inner =
      typeof value === "string"
        ? new TextEncoder().encode(value)
        : value instanceof Uint8Array
          ? value
          : encode(value);
    parts.push(Uint8Array.from([...varint(8 * number + 2), ...varint(inner.length)]), inner);
  }
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** ValueInfoProto of an f32 matrix. */
function matrixInfo(name: string, dims: readonly number[]): readonly Field[] {
  const shape = dims.map((size): Field => [1, [[1, size]]]);
  const tensor: readonly Field[] = [
    [1, FLOAT],
    [2, shape],
  ];
  return [
    [1, name],
    [2, [[1, tensor]]],
  ];
}

/** An ONNX model of one MatMul: y = x · w, with w `[inputs, outputs]` inside. */
export function encodeMatmul(
  { rows, inputs, outputs }: MatmulShape,
  weights: Float32Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const node: readonly Field[] = [
    [1, "x"],
    [1, "w"],
    [2, "y"],
    [3, "product"],
    [4, "MatMul"],
  ];
  const initializer: readonly Field[] = [
    [1, inputs],
    [1, outputs],
    [2, FLOAT],
    [8, "w"],
    [9, new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength)],
  ];
  const graph: readonly Field[] = [
    [1, node],
    [2, "matmul"],
    [5, initializer],
    [11, matrixInfo("x", [rows, inputs])],
    [12, matrixInfo("y", [rows, outputs])],
  ];
  const opset: readonly Field[] = [[2, OPSET]];
  return encode([
    [1, IR_VERSION],
    [7, graph],
    [8, opset],
  ]);
}
