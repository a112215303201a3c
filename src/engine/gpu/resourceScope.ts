/** A resource on the GPU; releasing it twice is allowed. */
interface Resource {
  release(): unknown;
}

/**
 * Resources of one piece of work, released together. Each is registered as soon as it exists, so
 * that a failure leaks nothing.
 */
export class ResourceScope {
  readonly #resources: Resource[] = [];

  keep<T extends Resource>(resource: T): T {
    this.#resources.push(resource);
    return resource;
  }

  release(): void {
    for (const resource of this.#resources) resource.release();
  }
}
