import type { Caps, Kernel } from "@gradus/core";

/** What is sent to the worker: a name and its arguments. Buffers and kernels go by number. */
export type Request =
  | readonly [call: "alloc", buffer: number, bytes: number]
  | readonly [call: "free", buffer: number]
  | readonly [call: "write", buffer: number, data: Uint8Array, at: number]
  | readonly [call: "compile", executable: number, kernel: Kernel]
  | readonly [call: "run", program: readonly RemoteLaunch[]]
  | readonly [call: "read", reading: number, buffer: number, at: number, bytes: number];

export type RemoteLaunch = Readonly<Record<"buffers" | "sizes" | "params", readonly number[]>> & {
  readonly executable: number;
};

/** What the worker answers: what its device can do, then data or an error for each read. */
export type Answer =
  | readonly [kind: "ready", caps: Caps]
  | readonly [kind: "data", reading: number, data: ArrayBuffer]
  | readonly [kind: "error", reading: number, code: string, message: string];
