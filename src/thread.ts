import { alignTasks } from "./engine/align/tasks.ts";
import { serveTasks } from "./engine/base/threads.ts";

declare const self: DedicatedWorkerGlobalScope;

serveTasks(alignTasks, {
  post: (message) => self.postMessage(message),
  listen(onMessage) {
    self.onmessage = ({ data }: MessageEvent) => onMessage(data);
  },
});
