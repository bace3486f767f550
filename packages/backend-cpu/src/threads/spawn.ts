import { WORKER_SOURCE } from "./worker-source.js";

/** What a worker is started with. */
export interface WorkerStart {
  readonly memory: WebAssembly.Memory;
  /** Which thread it is; 0 is the main thread. */
  readonly index: number;
  /** How long it looks for work before it sleeps, in milliseconds. */
  readonly spinMs: number;
}

/** A running worker. */
export interface WorkerHandle {
  /** Ends it, wherever it is. */
  terminate(): unknown;
}

/** Starts a worker; `onEnd` is called when it ends or fails to come up. Throws where the host forbids it. */
export type Spawn = (start: WorkerStart, onEnd: (why: string) => void) => WorkerHandle;

interface NodeWorker extends WorkerHandle {
  on(event: string, listener: (value: unknown) => void): unknown;
  unref(): void;
}

interface WorkerThreads {
  readonly Worker: new (code: string, options: object) => NodeWorker;
}

interface Host {
  readonly process?: { getBuiltinModule?(name: string): unknown };
}

/** Workers of this host. */
export const spawn: Spawn = (start, onEnd) => {
  const threads = (globalThis as Host).process?.getBuiltinModule?.("node:worker_threads");
  return threads === undefined
    ? spawnInBrowser(start, onEnd)
    : spawnInNode(threads as WorkerThreads, start, onEnd);
};

function spawnInNode(
  { Worker }: WorkerThreads,
  start: WorkerStart,
  onEnd: (why: string) => void,
): WorkerHandle {
  const code = `${WORKER_SOURCE} start(require("node:worker_threads").workerData);`;
  // The flags of the process are for the user's code: a worker that preloads it would be slow, or fail.
  const worker = new Worker(code, { eval: true, workerData: start, execArgv: [], name: "gradus" });
  worker.on("error", (error) => onEnd(String(error)));
  worker.on("exit", (code) => onEnd(`exit code ${String(code)}`));
  // It is there for the device, and does not keep the process alive.
  worker.unref();
  return worker;
}

function spawnInBrowser(start: WorkerStart, onEnd: (why: string) => void): WorkerHandle {
  const code = `${WORKER_SOURCE} onmessage = ({ data }) => start(data);`;
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.onerror = (event) => {
    event.preventDefault();
    URL.revokeObjectURL(url);
    onEnd(
      event.message || "the worker could not be loaded: does a content security policy forbid blob: workers?",
    );
  };
  worker.postMessage(start);
  return worker;
}
