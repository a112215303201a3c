import type {
  DecoderSpec,
  HeadView,
  LayerSpec,
  Projection,
} from "../../runtime/description/spec.ts";

/** Length rounded up to whole quads. */
export const wholeQuads = (length: number) => 4 * Math.ceil(length / 4);

/**
 * Column where each projection's outputs start once all start at whole quads, and the row's length.
 */
function alignColumns(projections: readonly Projection[]) {
  const moved = new Map<Projection, number>();
  let end = 0;
  for (const projection of projections) {
    moved.set(projection, end);
    end += wholeQuads(projection.outputs);
  }
  /** New index of a column, which moves with the projection that writes it. */
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

function alignLayer(layer: LayerSpec): LayerSpec {
  const qkv = alignColumns(layer.qkv);
  const mlp = alignColumns(layer.mlpIn);
  const { query, key, value } = layer.attention;
  const view = ({ offset, headStride }: HeadView) => ({ offset: qkv.move(offset), headStride });
  const { gateOffset, upOffset } = layer.mlp;
  return {
    ...layer,
    attention: {
      ...layer.attention,
      rowStride: qkv.rowStride,
      query: view(query),
      key: view(key),
      value: view(value),
    },
    mlp: {
      ...layer.mlp,
      rowStride: mlp.rowStride,
      gateOffset: gateOffset === null ? null : mlp.move(gateOffset),
      upOffset: mlp.move(upOffset),
    },
    qkv: qkv.shifted,
    mlpIn: mlp.shifted,
  };
}

/**
 * The same decoder with every projection's outputs at whole quads of their row, so that kernels can
 * read their gradient as input.
 */
export function alignRows(spec: DecoderSpec): DecoderSpec {
  return { ...spec, layers: spec.layers.map(alignLayer) };
}
