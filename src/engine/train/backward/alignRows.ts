import type {
  AttentionSpec,
  DecoderSpec,
  HeadView,
  Projection,
} from "../../runtime/description/spec.ts";

/** The next whole number of quads. */
export const wholeQuads = (length: number) => 4 * Math.ceil(length / 4);

/** Where each projection's outputs start when all start at whole quads, and the row's length. */
function alignColumns(projections: readonly Projection[]) {
  const moved = new Map<Projection, number>();
  let end = 0;
  for (const projection of projections) {
    moved.set(projection, end);
    end += wholeQuads(projection.outputs);
  }
  /** Where an old column is now: it moves with the projection that writes it. */
  const move = (column: number) => {
    const writer = projections.findLast((projection) => projection.column <= column);
    return writer ? column - writer.column + (moved.get(writer) as number) : column;
  };
  const shifted = projections.map((projection) => ({
    ...projection,
    column: moved.get(projection) as number,
  }));
  return { rowStride: end, move, shifted };
}

/**
 * The same decoder with every projection's outputs at whole quads of their row, where the gradient
 * that comes back can be multiplied in turn.
 */
export function alignRows(spec: DecoderSpec): DecoderSpec {
  const [first] = spec.layers;
  if (!first) return spec;
  const qkv = alignColumns(first.qkv);
  const mlp = alignColumns(first.mlpIn);
  const view = ({ offset, headStride }: HeadView) => ({ offset: qkv.move(offset), headStride });
  const attention: AttentionSpec = {
    ...spec.attention,
    rowStride: qkv.rowStride,
    query: view(spec.attention.query),
    key: view(spec.attention.key),
    value: view(spec.attention.value),
  };
  const { gateOffset, upOffset } = spec.mlp;
  return {
    ...spec,
    attention,
    mlp: {
      ...spec.mlp,
      rowStride: mlp.rowStride,
      gateOffset: gateOffset === null ? null : mlp.move(gateOffset),
      upOffset: mlp.move(upOffset),
    },
    layers: spec.layers.map((layer) => ({
      ...layer,
      qkv: alignColumns(layer.qkv).shifted,
      mlpIn: alignColumns(layer.mlpIn).shifted,
    })),
  };
}
