import { create } from "webgpu";

let made: GPU | undefined;

/** WebGPU in Node, on the driver that `tooling/webgpu` chose. */
export function nodeGpu(): GPU {
  made ??= create([]) as GPU;
  return made;
}
