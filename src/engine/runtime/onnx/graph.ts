import { EngineError } from "../../contract/index.ts";

/** Properties of an ONNX graph that are needed before ONNX Runtime loads it. */
export interface GraphFacts {
  /** External weight files, by their names in the graph. */
  readonly externalPaths: readonly string[];
  /** Sine and cosine nodes: in rotary embeddings their angles grow with the position. */
  readonly trigonometry: readonly string[];
  /** Whether weights are f16, which not every GPU computes with. */
  readonly halves: boolean;
}

// Field numbers of onnx.proto.
const MODEL_GRAPH = 7;
const GRAPH_NODE = 1;
const GRAPH_INITIALIZER = 5;
const NODE_NAME = 3;
const NODE_OPERATOR = 4;
const NODE_ATTRIBUTE = 5;
const ATTRIBUTE_GRAPH = 6;
const TENSOR_DTYPE = 2;
const TENSOR_EXTERNAL_DATA = 13;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/** TensorProto.DataType's FLOAT16. */
const FLOAT16 = 10;
/** Operators with subgraphs as attributes. */
const HOLD_GRAPHS = new Set(["If", "Loop", "Scan"]);
const MAX_GRAPH_DEPTH = 8;
const MAX_TEXT_BYTES = 4096;
const MAX_EXTERNAL_FILES = 1024;

/** A field of a protobuf message: the range of a text or message, or an integer. */
interface Field {
  readonly number: number;
  readonly value: number | null;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads an ONNX file's graph and its subgraphs, such as the branches of an `If`; weights are
 * skipped. `bad-header` where it is damaged.
 */
export function readGraph(bytes: Uint8Array, file: string): GraphFacts {
  const facts: Gathered = { externalPaths: new Set(), trigonometry: [], halves: false };
  let graphs = 0;
  const whole = { number: 0, value: null, start: 0, end: bytes.length };
  for (const graph of fieldsOf(bytes, whole, file)) {
    if (graph.number !== MODEL_GRAPH || graph.value !== null) continue;
    graphs++;
    walkGraph(bytes, graph, file, facts, 0);
  }
  if (graphs === 0) throw broken(file, bytes.length, "it holds no graph");
  const { externalPaths } = facts;
  if (externalPaths.size > MAX_EXTERNAL_FILES) {
    throw broken(file, bytes.length, `it names ${externalPaths.size} files of weights`);
  }
  return { ...facts, externalPaths: [...externalPaths] };
}

interface Gathered {
  readonly externalPaths: Set<string>;
  readonly trigonometry: string[];
  halves: boolean;
}

function walkGraph(
  bytes: Uint8Array,
  graph: Field,
  file: string,
  facts: Gathered,
  depth: number,
): void {
  if (depth > MAX_GRAPH_DEPTH) throw broken(file, graph.start, "its graphs lie too deep");
  for (const part of fieldsOf(bytes, graph, file)) {
    if (part.value !== null) continue;
    if (part.number === GRAPH_NODE) {
      const node = readTexts(bytes, part, file);
      const operator = node.get(NODE_OPERATOR);
      const name = node.get(NODE_NAME);
      if (name && (operator === "Sin" || operator === "Cos")) facts.trigonometry.push(name);
      if (!HOLD_GRAPHS.has(operator ?? "")) continue;
      for (const attribute of fieldsOf(bytes, part, file)) {
        if (attribute.number !== NODE_ATTRIBUTE || attribute.value !== null) continue;
        for (const inner of fieldsOf(bytes, attribute, file)) {
          const isGraph = inner.number === ATTRIBUTE_GRAPH && inner.value === null;
          if (isGraph) walkGraph(bytes, inner, file, facts, depth + 1);
        }
      }
    } else if (part.number === GRAPH_INITIALIZER) {
      const { dtype, location } = readTensor(bytes, part, file);
      facts.halves ||= dtype === FLOAT16;
      if (location !== null) facts.externalPaths.add(location);
    }
  }
}

/** Dtype of a tensor, and the file with its values; null where they are in the graph. */
function readTensor(
  bytes: Uint8Array,
  tensor: Field,
  file: string,
): { readonly dtype: number | null; readonly location: string | null } {
  let dtype: number | null = null;
  let location: string | null = null;
  for (const field of fieldsOf(bytes, tensor, file)) {
    if (field.number === TENSOR_DTYPE) dtype = field.value;
    if (field.number !== TENSOR_EXTERNAL_DATA || field.value !== null) continue;
    const entry = readTexts(bytes, field, file);
    if (entry.get(ENTRY_KEY) === "location") location = entry.get(ENTRY_VALUE) ?? "";
  }
  return { dtype, location };
}

/** Short texts among a message's fields, by field number. */
function readTexts(bytes: Uint8Array, message: Field, file: string): ReadonlyMap<number, string> {
  const texts = new Map<number, string>();
  for (const { number, value, start, end } of fieldsOf(bytes, message, file)) {
    const wanted = value === null && number <= NODE_OPERATOR && end - start <= MAX_TEXT_BYTES;
    if (wanted) texts.set(number, new TextDecoder().decode(bytes.subarray(start, end)));
  }
  return texts;
}

function* fieldsOf(bytes: Uint8Array, within: Field, file: string): Generator<Field> {
  let at = within.start;
  const readNumber = (): number => {
    let value = 0;
    for (let i = 0; i < 10 && at < within.end; i++) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw broken(file, at, "a number does not end");
  };
  while (at < within.end) {
    const tag = readNumber();
    const wire = tag % 8;
    const value = wire === 0 ? readNumber() : null;
    const length = wire === 2 ? readNumber() : wire === 1 ? 8 : wire === 5 ? 4 : 0;
    const start = at;
    at += length;
    if (wire > 2 && wire !== 5) throw broken(file, start, `wire type ${wire} is not known`);
    if (!(at <= within.end)) throw broken(file, start, "a field is longer than what it lies in");
    if (wire === 0 || wire === 2) yield { number: Math.floor(tag / 8), value, start, end: at };
  }
}

function broken(file: string, at: number, why: string): EngineError {
  return new EngineError(
    "bad-header",
    `${file} is no ONNX model that can be read: ${why} (byte ${at}). Export or download it again.`,
    { file, at },
  );
}
