import { serveTasks } from "./engine/core/threads.ts";
import { alignTasks } from "./engine/fuse/align/tasks.ts";

declare const self: DedicatedWorkerGlobalScope;

serveTasks(alignTasks, {
  post: (message) => self.postMessage(message),
  listen(onMessage) {
    self.onmessage = ({ data }: MessageEvent) => onMessage(data);
  },
});
