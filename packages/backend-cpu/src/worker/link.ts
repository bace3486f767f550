import { ENGINE_SOURCE } from "./engine-source.js";

/** A kernel call that a launch is made of: where its code is, and its arguments. */
export type ToEngine =
  | { readonly kind: "grow"; readonly end: number; readonly refused: string }
  | { readonly kind: "load"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: "unload"; readonly id: number }
  | { readonly kind: "write"; readonly address: number; readonly data: Uint8Array }
  | { readonly kind: "read"; readonly id: number; readonly address: number; readonly bytes: number }
  | {
      readonly kind: "run";
      readonly kernel: number;
      readonly phases: readonly { readonly module: number; readonly entry: string }[];
      readonly args: number;
      readonly words: readonly number[];
      readonly paramsAt: number;
      readonly params: readonly number[];
    }
  | {
      readonly kind: "host";
      readonly id: number;
      readonly buffers: readonly { readonly address: number; readonly bytes: number }[];
    }
  | {
      readonly kind: "hosted";
      readonly results: readonly { readonly address: number; readonly data: Uint8Array }[];
    };

export type FromEngine =
  | { readonly kind: "ready" }
  | { readonly kind: "data"; readonly id: number; readonly data: Uint8Array<ArrayBuffer> }
  | { readonly kind: "failed"; readonly kernel: number; readonly number: number }
  | { readonly kind: "host"; readonly id: number; readonly contents: readonly Uint8Array[] }
  | { readonly kind: "error"; readonly error: { readonly code?: string; readonly message: string } };

export interface LinkEvents {
  onMessage(message: FromEngine): void;
  /** The worker ended, or never came up. */
  onEnd(why: string): void;
}

/** The way to the worker. Messages arrive in order. */
export interface Link {
  send(messages: readonly ToEngine[], transfer: readonly ArrayBufferLike[]): void;
  /** Whether an answer is awaited: it keeps the process alive. */
  await(isAwaited: boolean): void;
  /** Handles messages until `isDone`, without returning to the event loop. Where the host can. */
  handleUntil?(isDone: () => boolean): void;
  terminate(): unknown;
}

interface Port {
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  on(event: "message", listener: (message: FromEngine) => void): void;
  ref(): void;
  unref(): void;
}

interface WorkerThreads {
  readonly Worker: new (
    code: string,
    options: object,
  ) => {
    on(event: string, listener: (value: unknown) => void): unknown;
    unref(): void;
    terminate(): unknown;
  };
  readonly MessageChannel: new () => { readonly port1: Port; readonly port2: Port };
  receiveMessageOnPort(port: Port): { readonly message: FromEngine } | undefined;
}

interface Host {
  readonly process?: { getBuiltinModule?(name: string): unknown };
}

/** Starts the worker. Throws where the host forbids it. */
export function openLink(events: LinkEvents): Link {
  const threads = (globalThis as Host).process?.getBuiltinModule?.("node:worker_threads");
  return threads === undefined ? browserLink(events) : nodeLink(threads as WorkerThreads, events);
}

function nodeLink(
  { Worker, MessageChannel, receiveMessageOnPort }: WorkerThreads,
  { onMessage, onEnd }: LinkEvents,
): Link {
  const { port1: port, port2 } = new MessageChannel();
  // Counts the worker's messages, so that this thread can sleep until there is one.
  const count = new Int32Array(new SharedArrayBuffer(4));
  const code = `${ENGINE_SOURCE}
    const { port, count } = require("node:worker_threads").workerData;
    const handle = engine((message, transfer) => {
      port.postMessage(message, transfer);
      Atomics.add(count, 0, 1);
      Atomics.notify(count, 0);
    });
    port.on("message", handle);`;
  const worker = new Worker(code, {
    eval: true,
    workerData: { port: port2, count },
    transferList: [port2],
    execArgv: [],
    name: "gradus engine",
  });
  let isEnded = false;
  const end = (why: string): void => {
    isEnded = true;
    onEnd(why);
  };
  worker.on("error", (error) => end(String(error)));
  worker.on("exit", (status) => end(`exit code ${String(status)}`));
  worker.unref();
  port.on("message", onMessage);
  port.unref();
  return {
    send: (messages, transfer) => port.postMessage(messages, transfer),
    await: (isAwaited) => (isAwaited ? port.ref() : port.unref()),
    handleUntil(isDone) {
      while (!isDone() && !isEnded) {
        const seen = Atomics.load(count, 0);
        const received = receiveMessageOnPort(port);
        if (received !== undefined) onMessage(received.message);
        else Atomics.wait(count, 0, seen, 1000);
      }
    },
    terminate: () => worker.terminate(),
  };
}

function browserLink({ onMessage, onEnd }: LinkEvents): Link {
  const code = `${ENGINE_SOURCE}
    const handle = engine((message, transfer) => postMessage(message, transfer));
    onmessage = ({ data }) => handle(data);`;
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.onmessage = ({ data }: MessageEvent<FromEngine>) => onMessage(data);
  worker.onerror = (event) => {
    event.preventDefault();
    onEnd(
      event.message || "the worker could not be loaded: does a content security policy forbid blob: workers?",
    );
  };
  return {
    send: (messages, transfer) => worker.postMessage(messages, transfer as Transferable[]),
    await: () => {},
    terminate: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
