import type { LoadedLayer } from "./layerWeights.ts";

/**
 * Hands every layer to `use` in order, loaded when its turn comes, and released after. With `ahead`
 * the next one is loaded while a layer is used; where that fails, for want of memory beside a long
 * text's cache say, it is loaded again when nothing else is there.
 */
export async function streamLayers(
  count: number,
  { load, ahead }: { load(index: number): Promise<LoadedLayer>; readonly ahead: boolean },
  use: (layer: LoadedLayer, index: number) => Promise<void>,
): Promise<void> {
  let coming: Promise<LoadedLayer | null> | null = null;
  try {
    for (let i = 0; i < count; i++) {
      const layer: LoadedLayer = (await coming) ?? (await load(i));
      coming = ahead && i + 1 < count ? load(i + 1).catch(() => null) : null;
      try {
        await use(layer, i);
      } finally {
        layer.release();
      }
    }
  } finally {
    (await coming)?.release();
  }
}
