import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { locksInMemory } from "../../core/jobs/locks.ts";
import type { Library } from "./library.ts";
import { samplesJob } from "./samples.ts";
import { bytesOf, makeFolder, openTestLibrary, readTree, runOnce } from "./testFolders.ts";

const BASE = "http://localhost/x/";
const SAMPLES = { kind: "samples" } as const;

/** Two sample models as a static server has them; it may know ranges or not. */
async function serveSamples({ ranges = true, cut = Number.POSITIVE_INFINITY } = {}) {
  const folders = { "ember-base": makeFolder("ember-base", 1), "ember-tales": makeFolder("e", 2) };
  const contents = new Map<string, Uint8Array<ArrayBuffer>>();
  const index = [];
  for (const [name, files] of Object.entries(folders)) {
    const bytes = await bytesOf(files);
    for (const [path, content] of Object.entries(bytes)) {
      contents.set(`${BASE}samples/${name}/${path}`, new Uint8Array(content));
    }
    const list = Object.entries(bytes).map(([path, { length }]) => ({
      path,
      bytes: length,
      sha256: `${name}${path}`,
    }));
    index.push({ name, files: list });
  }
  contents.set(`${BASE}samples/index.json`, new TextEncoder().encode(JSON.stringify(index)));
  const requests: string[] = [];
  const state = { cut };
  const load = async (url: URL | RequestInfo, init?: RequestInit) => {
    const range = new Headers(init?.headers).get("range");
    requests.push(`${String(url).slice(BASE.length)}${range ? ` ${range}` : ""}`);
    const content = contents.get(String(url));
    if (!content) return new Response("", { status: 404, statusText: "Not Found" });
    if (range && ranges) {
      const start = Number(/^bytes=(\d+)-$/.exec(range)?.[1]);
      return new Response(content.slice(start), { status: 206 });
    }
    return new Response(content.slice(0, state.cut));
  };
  return { load: load as typeof fetch, requests, state, folders };
}
const kindFor = (library: Library, load: typeof fetch) =>
  samplesJob({ library, locks: locksInMemory(), baseUrl: BASE, fetch: load });

test("every sample is fetched from beside the page and stored whole", async () => {
  const { library } = await openTestLibrary();
  const { load, requests, folders } = await serveSamples();
  const { models } = await runOnce(kindFor(library, load), SAMPLES, {}).result;
  expect(requests.every((url) => url.startsWith("samples/"))).toBe(true);
  expect((await library.list()).map(({ name, origin }) => [name, origin]).sort()).toEqual([
    ["ember-base", "sample"],
    ["ember-tales", "sample"],
  ]);
  expect(await readTree(await library.tree(models[1] as string))).toEqual(
    await bytesOf(folders["ember-tales"]),
  );
});

test("samples that are there already are told, not fetched again", async () => {
  const { library } = await openTestLibrary();
  const { load, requests } = await serveSamples();
  const first = await runOnce(kindFor(library, load), SAMPLES, {}).result;
  requests.length = 0;
  const second = await runOnce(kindFor(library, load), SAMPLES, {}).result;
  expect(requests).toEqual(["samples/index.json"]);
  expect(second.models).toEqual(first.models);
  expect(second.notes).toContain("ember-base is in the library already.");
});

test.each([true, false])(
  "a download that broke off goes on at its byte (server with ranges: %s)",
  async (ranges) => {
    const { library } = await openTestLibrary();
    const { load, requests, state, folders } = await serveSamples({ ranges });
    const index = `samples/index.json`;
    const breaking = (async (url: URL, init?: RequestInit) => {
      state.cut = String(url).endsWith("00001-of-00002.safetensors") ? 500 : Infinity;
      return load(url, init);
    }) as typeof fetch;
    await expect(runOnce(kindFor(library, breaking), SAMPLES, {}).result).rejects.toMatchObject({
      code: "truncated",
      details: { received: 500 },
    });
    requests.length = 0;
    state.cut = Number.POSITIVE_INFINITY;
    const { models } = await runOnce(kindFor(library, load), SAMPLES, {}).result;
    expect(requests.slice(0, 2)).toEqual([
      index,
      "samples/ember-base/model-00001-of-00002.safetensors bytes=500-",
    ]);
    expect(await readTree(await library.tree(models[0] as string))).toEqual(
      await bytesOf(folders["ember-base"]),
    );
  },
);

test("a page that answers instead of the list is refused before a job begins", async () => {
  const { library } = await openTestLibrary();
  const page = (async () => new Response("<!doctype html>")) as typeof fetch;
  await expect(kindFor(library, page).prepare(SAMPLES)).rejects.toMatchObject({
    code: "missing-file",
  });
  const none = (async () => new Response("", { status: 404 })) as typeof fetch;
  await expect(kindFor(library, none).prepare(SAMPLES)).rejects.toMatchObject({
    code: "missing-file",
    details: { status: 404 },
  });
  const offline = (() => Promise.reject(new TypeError("Failed to fetch"))) as typeof fetch;
  await expect(kindFor(library, offline).prepare(SAMPLES)).rejects.toMatchObject({
    code: "missing-file",
  });
});
