/** A resource on the GPU; releasing it twice is allowed. */
interface Resource {
  release(): unknown;
}

/**
 * The resources of one piece of work, released together. Each is kept as soon as it is made, so that
 * a failure half-way leaks nothing.
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
