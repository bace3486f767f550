import { cpu } from "@gradus/backend-cpu";
import { serve } from "./serve.js";

/* The worker's program, in Node and in browsers: the first message brings the port that it serves. */

interface NodeThreads {
  readonly parentPort: { once(event: "message", listener: (port: MessagePort) => void): void };
}

const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
const threads = process?.getBuiltinModule?.("node:worker_threads") as NodeThreads | undefined;
const start = async (port: MessagePort): Promise<void> => serve(await cpu({ threads: 1 }), port);

if (threads !== undefined) threads.parentPort.once("message", start);
else globalThis.onmessage = ({ data }: MessageEvent<MessagePort>) => start(data);
