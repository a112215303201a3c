/** What is loaded for one layer and given back after it. */
interface Loaded {
  release(): void;
}

/**
 * Hands every layer to `use` in order, loaded when its turn comes, and released after. With `ahead`
 * the next one is loaded while a layer is used; where that fails, for want of memory beside a long
 * text's cache say, it is loaded again when nothing else is there.
 */
export async function streamLayers<T extends Loaded>(
  count: number,
  { load, ahead }: { load(index: number): Promise<T>; readonly ahead: boolean },
  use: (layer: T, index: number) => Promise<void>,
): Promise<void> {
  let coming: Promise<T | null> | null = null;
  try {
    for (let i = 0; i < count; i++) {
      const layer: T = (await coming) ?? (await load(i));
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
