/** Weights of one layer while it runs. */
interface Loaded {
  release(): void;
}

/**
 * Runs `use` over every layer in order, loading each before and releasing it after. With `ahead`
 * the next layer is loaded while one runs; where there is no memory for that, it is loaded after
 * the other was released.
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
