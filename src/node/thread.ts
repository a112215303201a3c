import { parentPort } from "node:worker_threads";
import { serveTasks } from "../engine/core/threads.ts";
import { alignTasks } from "../engine/fuse/align/tasks.ts";
import { templateTasks } from "../engine/text/templates/task.ts";

serveTasks(
  { ...alignTasks, ...templateTasks },
  {
    post: (message) => parentPort?.postMessage(message),
    listen: (onMessage) => void parentPort?.on("message", onMessage),
  },
);
