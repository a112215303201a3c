import { serveTasks } from "./engine/core/threads.ts";
import { alignTasks } from "./engine/fuse/align/tasks.ts";
import { templateTasks } from "./engine/text/templates/task.ts";

declare const self: DedicatedWorkerGlobalScope;

serveTasks(
  { ...alignTasks, ...templateTasks },
  {
    post: (message) => self.postMessage(message),
    listen(onMessage) {
      self.onmessage = ({ data }: MessageEvent) => onMessage(data);
    },
  },
);
