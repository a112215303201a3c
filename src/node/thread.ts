import { parentPort } from "node:worker_threads";
import { alignTasks } from "../engine/fuse/align/tasks.ts";
import { serveTasks } from "../engine/core/threads.ts";

serveTasks(alignTasks, {
  post: (message) => parentPort?.postMessage(message),
  listen: (onMessage) => void parentPort?.on("message", onMessage),
});
