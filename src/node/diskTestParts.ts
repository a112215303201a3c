import { type FileHandle, open } from "node:fs/promises";
import type { OpenFile } from "./wholeWrites.ts";

/** A real disk that takes at most `most` bytes a write, and no more than `room` bytes in all. */
export function poorDisk({
  most,
  room = Number.POSITIVE_INFINITY,
}: {
  readonly most: number;
  readonly room?: number;
}) {
  const disk = { room, writes: 0 };
  const openFile = (async (...given: Parameters<OpenFile>) => {
    const handle = await open(...given);
    const write = async (bytes: Uint8Array, offset: number, length: number, at: number) => {
      disk.writes++;
      if (disk.room === 0)
        throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
      const taken = Math.min(most, length, disk.room);
      disk.room -= taken;
      return handle.write(bytes, offset, taken, at);
    };
    return new Proxy(handle, {
      get(real, name: keyof FileHandle) {
        if (name === "write") return write;
        const member = real[name];
        return typeof member === "function" ? member.bind(real) : member;
      },
    });
  }) as OpenFile;
  return { disk, openFile };
}
