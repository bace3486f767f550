import type { Binding } from "./bindings.js";
import { functionsFor } from "./functions.js";

/** A shader, and what it is bound to. */
export interface Shader {
  readonly code: string;
  readonly bindings: readonly Binding[];
  /** Buffers of the launch that are copied to scratch memory before, and back after if they are outputs. */
  readonly packed: readonly number[];
  /** How many words of arguments it reads. */
  readonly words: number;
}

/** Declarations, the functions that `body` calls, and `body`. */
export function assemble(declarations: string, body: string): string {
  const called = [...body.matchAll(/([a-z_0-9]+)\(/g)].map(([, name]) => name as string);
  return `${declarations}\n${functionsFor(called)}\n${body}\n`;
}

/** The entry point of a shader whose workgroups are counted through both dimensions of a dispatch. */
export function entryPoint(threads: number, body: string): string {
  return `@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
let block = group.x + group.y * groups.x;
${body}
}`;
}
