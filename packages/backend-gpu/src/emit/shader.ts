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

/** By which word a shader is known to need an extension of the language, and how it asks for it. */
const extensions: readonly (readonly [word: string, lines: readonly string[]])[] = [
  ["@builtin(subgroup_size)", ["enable subgroups;"]],
  ["f16", ["enable f16;"]],
  [
    "subgroup_matrix_",
    [
      "enable chromium_experimental_subgroup_matrix;",
      // All threads of a workgroup go the same way, which the compiler does not see of numbers of subgroups.
      "diagnostic(off, chromium.subgroup_matrix_uniformity);",
    ],
  ],
];

/** Declarations, the functions that `body` calls, and `body`. What the language has to be told of is found by its name. */
export function assemble(declarations: string, body: string): string {
  const called = [...body.matchAll(/([a-z_0-9]+)\(/g)].map(([, name]) => name as string);
  const text = `${declarations}\n${body}`;
  const enabled = extensions.flatMap(([word, lines]) => (text.includes(word) ? lines : []));
  return `${enabled.join("\n")}\n${declarations}\n${functionsFor(called)}\n${body}\n`;
}

/** The parameters of an entry point that say in which subgroup a thread is, and where. */
export const SUBGROUP_PARAMETERS = `
  @builtin(num_subgroups) subgroups: u32,
  @builtin(subgroup_size) subgroup_size: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,`;

/**
 * The text that makes `slot` the number of the thread in its workgroup. Nothing says how threads are put into subgroups, so with
 * them it is counted by subgroups, if all of them are full: `in_subgroups`.
 */
export function numberThreads(threads: number, subgroups: boolean): string {
  if (!subgroups) return "let slot = lane;";
  return `let in_subgroups = subgroups * subgroup_size == ${threads}u;
let slot = select(lane, subgroup * subgroup_size + subgroup_lane, in_subgroups);`;
}

/**
 * The entry point of a shader whose workgroups are counted through both dimensions of a dispatch. With `subgroups` it has
 * `SUBGROUP_PARAMETERS`.
 */
export function entryPoint(threads: number, body: string, subgroups = false): string {
  return `@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,${subgroups ? SUBGROUP_PARAMETERS : ""}
) {
let block = group.x + group.y * groups.x;
${body}
}`;
}
