import { parentPort } from "node:worker_threads";
import { serveTasks } from "../engine/core/threads.ts";
import { alignTasks } from "../engine/fuse/align/tasks.ts";

serveTasks(alignTasks, {
  post: (message) => parentPort?.postMessage(message),
  listen: (onMessage) => void parentPort?.on("message", onMessage),
});
