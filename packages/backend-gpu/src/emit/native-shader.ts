import type { DType, Scattering } from "@gradus/core";
import type { Binding } from "./bindings.js";
import { storedAs } from "./operations.js";
import { assemble, type Shader } from "./shader.js";

/** A hand-written shader: the kernel's buffers by name, in order, the words of arguments, and text. */
export function nativeShader(
  buffers: readonly { readonly name: string; readonly type: string; readonly writes?: boolean }[],
  options: {
    readonly words: number;
    readonly scratch?: boolean;
    readonly errors?: boolean;
    readonly text: string;
  },
): Shader {
  const bindings: Binding[] = buffers.map(({ writes = false }, index) => ({ kind: "buffer", index, writes }));
  const declared = buffers.map(({ name, type, writes }) => ({ name, type: `array<${type}>`, writes }));
  if (options.scratch === true) {
    bindings.push({ kind: "scratch", writes: true });
    declared.push({ name: "scratch", type: "array<i32>", writes: true });
  }
  if (options.errors === true) {
    bindings.push({ kind: "errors", writes: true });
    declared.push({ name: "errors", type: "atomic<u32>", writes: true });
  }
  const declarations = [
    `struct Arguments { words: array<vec4<u32>, ${Math.ceil(options.words / 4)}> }`,
    "@group(0) @binding(0) var<uniform> args: Arguments;",
    ...declared.map(({ name, type, writes }, i) => {
      const access = writes === true ? "read_write" : "read";
      return `@group(0) @binding(${i + 1}) var<storage, ${access}> ${name}: ${type};`;
    }),
    "fn word(i: u32) -> u32 { return args.words[i >> 2u][i & 3u]; }",
  ];
  return {
    code: assemble(declarations.join("\n"), options.text),
    bindings,
    packed: [],
    words: options.words,
  };
}

/** The most axes of a scatter. */
export const MAX_RANK = 12;

/**
 * A scatter along an axis. A thread has one line of the base along it, or a range of one, and goes through all indices in
 * order; it joins those that fall into its range. So nothing is added at once with something else, and the order holds.
 *
 * Arguments: threads, ranges, number of checks, rank, axis, length of a range, then the base's shape and the index's.
 */
export function scatterShader(dtype: DType, op: Scattering, full: boolean): Shader {
  const type = storedAs(dtype);
  const joined = {
    sum: "a + b",
    prod: "a * b",
    max: dtype === "f32" ? "max_f32(a, b)" : "max(a, b)",
    min: dtype === "f32" ? "min_f32(a, b)" : "min(a, b)",
    set: "b",
  }[op];
  return nativeShader(
    [
      { name: "base", type },
      { name: "index", type: "i32" },
      { name: "source", type },
      { name: "target_", type, writes: true },
    ],
    {
      words: 8 + 2 * MAX_RANK,
      errors: true,
      text: `fn joined(a: ${type}, b: ${type}) -> ${type} { return ${joined}; }
@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = (group.x + group.y * groups.x) * 64u + lane;
  if (thread >= word(0u)) { return; }
  let lines = word(0u) / word(1u);
  let range = thread / lines;
  var rest = thread % lines;
  let rank = word(3u);
  let axis = word(4u);
  var at = 0u;
  var index_at = 0u;
  var covered = true;
  var stride = 1u;
  var index_stride = 1u;
  var axis_stride = 1u;
  var axis_index_stride = 1u;
  for (var d = i32(rank) - 1; d >= 0; d -= 1) {
    let size = word(8u + u32(d));
    let index_size = word(8u + rank + u32(d));
    if (u32(d) == axis) {
      axis_stride = stride;
      axis_index_stride = index_stride;
    } else {
      let c = rest % size;
      rest = rest / size;
      at += c * stride;
      index_at += c * index_stride;
      covered = covered && c < index_size;
    }
    stride *= size;
    index_stride *= index_size;
  }
  let n = word(8u + axis);
  let k = word(8u + rank + axis);
  let first = range * word(5u);
  let end = min(n, first + word(5u));
  for (var i = first; i < end; i += 1u) { target_[at + i * axis_stride] = base[at + i * axis_stride]; }
  if (!covered) { return; }
  for (var p = 0u; p < k; p += 1u) {
    let from_ = index_at + p * axis_index_stride;
    let i = bitcast<u32>(index[${full ? "from_" : "p"}]);
    if (i >= n) {
      atomicMax(&errors, word(2u));
    } else if (i >= first && i < end) {
      let to = at + i * axis_stride;
      target_[to] = joined(target_[to], source[from_]);
    }
  }
}`,
    },
  );
}

/** What a block that is sorted at once has. */
export const SORT_BLOCK = 1024;

/** The order of a value as an unsigned number: NaN is the greatest, zeros are equal. */
function sortKey(dtype: DType, descending: boolean): string {
  const type = storedAs(dtype);
  const key =
    dtype === "f32"
      ? `if (is_nan(x)) { return ${descending ? "0u" : "0xffffffffu"}; }
  let bits = select(bitcast<u32>(x), 0u, is_zero(x));
  let k = select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);`
      : dtype === "i32"
        ? "let k = bitcast<u32>(x) ^ 0x80000000u;"
        : "let k = select(0u, 1u, x != 0u);";
  return `fn sort_key(x: ${type}) -> u32 {
  ${key}
  return ${descending ? "~k" : "k"};
}`;
}

/**
 * The stable order of blocks of rows, by counting what comes before each element.
 *
 * Arguments: blocks in all, blocks of a row, n, whether the result goes to the output rather than to scratch memory.
 */
export function sortBlocksShader(dtype: DType, descending: boolean): Shader {
  return nativeShader(sortBuffers(dtype), {
    words: 4,
    scratch: true,
    text: `${sortKey(dtype, descending)}
var<workgroup> keys: array<u32, ${SORT_BLOCK}>;
@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = group.x + group.y * groups.x;
  let n = word(2u);
  let row = block / word(1u);
  let first = (block % word(1u)) * ${SORT_BLOCK}u;
  let count = select(0u, min(n - min(n, first), ${SORT_BLOCK}u), block < word(0u));
  for (var i = lane; i < count; i += 256u) { keys[i] = sort_key(values[row * n + first + i]); }
  workgroupBarrier();
  for (var i = lane; i < count; i += 256u) {
    let key = keys[i];
    var rank = 0u;
    for (var j = 0u; j < i; j += 1u) { rank += select(0u, 1u, keys[j] <= key); }
    for (var j = i + 1u; j < count; j += 1u) { rank += select(0u, 1u, keys[j] < key); }
    let to = row * n + first + rank;
    if (word(3u) == 1u) { order[to] = i32(first + i); } else { scratch[to] = i32(first + i); }
  }
}`,
  });
}

/**
 * Merges neighbouring runs of rows: each element finds its place by searching the other run.
 *
 * Arguments: elements in all, n, length of a run, whether the result goes to the output and the runs are in scratch memory.
 */
export function sortMergeShader(dtype: DType, descending: boolean): Shader {
  return nativeShader(sortBuffers(dtype), {
    words: 4,
    scratch: true,
    text: `${sortKey(dtype, descending)}
fn from_(i: u32) -> i32 {
  if (word(3u) == 1u) { return scratch[i]; }
  return order[i];
}
@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = (group.x + group.y * groups.x) * 64u + lane;
  if (thread >= word(0u)) { return; }
  let n = word(1u);
  let width = word(2u);
  let row = (thread / n) * n;
  let i = thread - row;
  let run = i / width;
  let own = run * width;
  let other = (run ^ 1u) * width;
  let is_right = (run & 1u) == 1u;
  let element = from_(thread);
  let key = sort_key(values[row + u32(element)]);
  var low = min(n, other);
  let start = low;
  var high = min(n, other + width);
  while (low < high) {
    let middle = (low + high) / 2u;
    let k = sort_key(values[row + u32(from_(row + middle))]);
    // Of equal ones, those of the left run come first.
    if (k < key || (is_right && k == key)) { low = middle + 1u; } else { high = middle; }
  }
  let to = row + min(own, other) + (i - own) + (low - start);
  if (word(3u) == 1u) { order[to] = element; } else { scratch[to] = element; }
}`,
  });
}

function sortBuffers(dtype: DType) {
  return [
    { name: "values", type: storedAs(dtype) },
    { name: "order", type: "i32", writes: true },
  ];
}
