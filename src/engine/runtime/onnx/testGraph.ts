/** A field of a protobuf message: a number, a text, or a message of fields. */
export type TestField = readonly [number, number | string | readonly TestField[]];

/** Encodes a protobuf message. */
export function encodeMessage(fields: readonly TestField[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  const put = (value: number) => {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
    bytes.push(rest);
  };
  for (const [number, value] of fields) {
    put(8 * number + (typeof value === "number" ? 0 : 2));
    if (typeof value === "number") {
      put(value);
      continue;
    }
    const inner =
      typeof value === "string" ? new TextEncoder().encode(value) : encodeMessage(value);
    put(inner.length);
    for (const byte of inner) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** An initializer whose values lie in another file. */
export function externalTensor(location: string, dtype = 1): TestField {
  const entry = (key: string, value: string): TestField => [
    13,
    [
      [1, key],
      [2, value],
    ],
  ];
  return [5, [[2, dtype], [8, "weight"], entry("location", location), entry("offset", "0")]];
}

/** A model of nodes `[name, operator]` and initializers. */
export function encodeModel(
  nodes: readonly (readonly [string, string])[],
  initializers: readonly TestField[] = [],
): Uint8Array<ArrayBuffer> {
  const fields = nodes.map(
    ([name, operator]): TestField => [
      1,
      [
        [1, "x"],
        [3, name],
        [4, operator],
      ],
    ],
  );
  return encodeMessage([
    [1, 10],
    [2, "test"],
    [7, [...fields, ...initializers]],
  ]);
}
