import * as v from "valibot";
import { EngineError, type ModelId } from "../../contract/index.ts";
import type { ByteSink } from "../../core/bytes.ts";
import type { JobContext, JobKind } from "../../core/jobs/kind.ts";
import type { Locks } from "../../core/jobs/locks.ts";
import type { Library } from "./library.ts";

const File = v.object({ path: v.string(), bytes: v.pipe(v.number(), v.integer(), v.minValue(0)) });
/** Hashes in the index distinguish the samples of different versions of the studio. */
const Index = v.array(
  v.object({ name: v.string(), files: v.array(v.object({ ...File.entries, sha256: v.string() })) }),
);
type Sample = v.InferOutput<typeof Index>[number];

/** Largest index: guards against a server that answers without end. */
const MAX_INDEX_BYTES = 2 ** 20;

export interface SamplesParts {
  readonly library: Library;
  readonly locks: Locks;
  /** Address of the page; the samples are in `samples/` beside it. */
  readonly baseUrl: string;
  readonly fetch?: typeof fetch;
}

/**
 * Job kind `samples`: streams the sample models from the page's address into the library, resuming
 * by itself.
 */
export function samplesJob(parts: SamplesParts): JobKind<"samples", null> {
  const { library } = parts;
  const load = parts.fetch ?? ((url, init) => fetch(url, init));
  const addressOf = (path: string) => new URL(`samples/${path}`, parts.baseUrl);

  return {
    kind: "samples",
    resource: "import",
    async prepare() {
      const samples = await readIndex(load, addressOf("index.json"));
      return {
        title: "Load the sample models",
        recipe: null,
        durable: true,
        totalBytes: samples.reduce((sum, sample) => sum + byteLengthOf(sample), 0),
      };
    },
    async run(_, context) {
      const samples = await readIndex(load, addressOf("index.json"));
      const totalBytes = samples.reduce((sum, sample) => sum + byteLengthOf(sample), 0);
      const models: ModelId[] = [];
      const notes: string[] = [];
      let before = 0;
      for (const sample of samples) {
        const onBytes = (doneBytes: number, label: string) =>
          context.progress({ doneBytes: before + doneBytes, totalBytes, label });
        const fingerprint = JSON.stringify(["sample", sample]);
        const alike = await library.findByFingerprint(fingerprint);
        const whole = alike.find(({ state }) => state === "complete");
        if (whole) notes.push(`${whole.name} is in the library already.`);
        models.push(whole?.id ?? (await loadSample(sample, fingerprint, context, onBytes)));
        before += byteLengthOf(sample);
      }
      return { models, downloads: [], notes };
    },
  };

  async function loadSample(
    sample: Sample,
    fingerprint: string,
    { signal, modelsChanged }: JobContext<null>,
    onBytes: (doneBytes: number, label: string) => void,
  ): Promise<ModelId> {
    const { name, files } = sample;
    const half = (await library.findByFingerprint(fingerprint))[0];
    const { id, writer } = half
      ? { id: half.id, writer: await library.resume(half.id) }
      : await library.begin({
          name,
          origin: "sample",
          byteLength: byteLengthOf(sample),
          fingerprint,
          facts: null,
        });
    const giveBack = await parts.locks.take(`fusestudio model ${id}`);
    if (!giveBack) throw new EngineError("busy", `${name} is being loaded in another tab already.`);
    try {
      modelsChanged();
      let before = 0;
      for (const { path, bytes } of files) {
        const sink = await writer.open(path, bytes);
        const url = addressOf(`${name}/${path}`);
        await download(load, url, bytes, sink, signal, (doneBytes) =>
          onBytes(before + doneBytes, `${name}/${path}`),
        );
        before += bytes;
      }
      await writer.seal();
    } finally {
      giveBack();
      modelsChanged();
    }
    return id;
  }
}

function byteLengthOf({ files }: Sample): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

async function readIndex(load: typeof fetch, url: URL): Promise<readonly Sample[]> {
  const text = await (await request(load, url, {})).text();
  try {
    if (text.length > MAX_INDEX_BYTES) throw new RangeError("too long");
    return v.parse(Index, JSON.parse(text));
  } catch (error) {
    throw new EngineError(
      "missing-file",
      `${url.href} is not the list of sample models. The studio's samples folder was not published with it.`,
      { file: url.href },
      error,
    );
  }
}

async function request(load: typeof fetch, url: URL, init: RequestInit): Promise<Response> {
  const response = await load(url, init).catch((error: unknown) => {
    init.signal?.throwIfAborted();
    throw new EngineError(
      "missing-file",
      `${url.href} could not be fetched. Is the studio's server still running? Resume to try again.`,
      { file: url.href },
      error,
    );
  });
  if (response.ok) return response;
  throw new EngineError(
    "missing-file",
    `${url.href} answered ${response.status} ${response.statusText}. The studio's samples folder was not published with it.`,
    { file: url.href, status: response.status },
  );
}

/** Downloads the rest of a file; where a server ignores ranges, the start is skipped. */
async function download(
  load: typeof fetch,
  url: URL,
  byteLength: number,
  sink: ByteSink,
  signal: AbortSignal,
  onBytes: (doneBytes: number) => void,
): Promise<void> {
  const start = sink.durableBytes;
  onBytes(start);
  if (start === byteLength) return sink.flush();
  const headers: Record<string, string> = start > 0 ? { Range: `bytes=${start}-` } : {};
  const response = await request(load, url, { signal, headers });
  let at = response.status === 206 ? start : 0;
  // A reader, since Safari's streams are not iterable.
  const reader = response.body?.getReader();
  const take = () =>
    reader?.read().catch(() => {
      signal.throwIfAborted();
      return undefined; // The connection broke: the bytes are too few, which is told below.
    });
  try {
    for (let part = await take(); part?.value && at <= byteLength; part = await take()) {
      const fresh = new Uint8Array(part.value.subarray(Math.max(0, start - at)));
      at += part.value.byteLength;
      if (at <= byteLength && fresh.byteLength > 0) await sink.append(fresh);
      onBytes(Math.min(byteLength, Math.max(start, at)));
    }
  } catch (error) {
    await sink.flush().catch(() => undefined);
    throw error;
  }
  await sink.flush();
  if (at === byteLength) return;
  throw new EngineError(
    "truncated",
    `${url.href} should have ${byteLength} bytes, but ${at > byteLength ? "more" : at} arrived. Resume to try again.`,
    { file: url.href, byteLength, received: at },
  );
}
