import type { Cumulation, DType } from "@gradus/core";
import { nativeShader } from "./native-shader.js";
import { literal, storedAs } from "./operations.js";
import { numberThreads, type Shader, SUBGROUP_PARAMETERS } from "./shader.js";

/**
 * Running totals, a thread for each line, or a workgroup of 256 threads, which go along the line together: first each second one
 * takes over what its neighbour has, then each second pair what the last of the pair before has, and so on. What comes from
 * the same subgroup needs no memory, if the card has them; the result is the same to the last bit.
 *
 * Arguments: lines, n, inner.
 */
export function cumulateShader(op: Cumulation, dtype: DType, isShared: boolean, subgroups: boolean): Shader {
  const isPosition = op === "argmax" || op === "argmin";
  const type = dtype === "bool" ? "i32" : dtype;
  const beats = op === "argmax" ? ">=" : "<=";
  const nanTest = (x: string): string => (dtype === "f32" ? `is_nan(${x})` : "false");
  // A state is a value, and a position that is -1 where there is nothing yet.
  const joined = {
    sum: "State(a.x + b.x, b.at)",
    prod: "State(a.x * b.x, b.at)",
    logsumexp: "State(logaddexp_f32(a.x, b.x), b.at)",
    argmax: "",
    argmin: "",
  }[op];
  const join = isPosition
    ? `if (${nanTest("b.x")} || (b.x ${beats} a.x && !${nanTest("a.x")})) { return b; }
  return a;`
    : `return ${joined};`;
  const result = isPosition ? "state.at" : "state.x";
  const head = `struct State { x: ${type}, at: i32 }
fn join(a: State, b: State) -> State {
  if (a.at < 0) { return b; }
  if (b.at < 0) { return a; }
  ${join}
}
fn element(at: u32, i: u32) -> State { return State(${type}(values[at]), i32(i)); }`;
  const parameters = `
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
`;
  const place = `let n = word(1u);
  let inner = word(2u);
  let start = (line / inner) * n * inner + line % inner;`;
  const serial = `@compute @workgroup_size(64)
fn main(${parameters}) {
  let line = (group.x + group.y * groups.x) * 64u + lane;
  if (line >= word(0u)) { return; }
  ${place}
  var state = State(${literal(0, type)}, -1);
  for (var i = 0u; i < n; i += 1u) {
    let at = start + i * inner;
    state = join(state, element(at, i));
    totals[at] = ${result};
  }
}`;
  const fromMemory = `xs[slot] = state.x;
      ats[slot] = state.at;
      workgroupBarrier();
      other = State(xs[last], ats[last]);
      workgroupBarrier();`;
  const fromSubgroup = `let from_ = last & (subgroup_size - 1u);
      other = State(subgroupShuffle(state.x, from_), subgroupShuffle(state.at, from_));`;
  const shared = `var<workgroup> xs: array<${type}, 256>;
var<workgroup> ats: array<i32, 256>;
@compute @workgroup_size(256)
fn main(${parameters}${subgroups ? SUBGROUP_PARAMETERS : ""}) {
  let line = min(group.x + group.y * groups.x, word(0u) - 1u);
  ${place}
  ${numberThreads(256, subgroups)}
  var carry = State(${literal(0, type)}, -1);
  for (var first = 0u; first < n; first += 256u) {
    let i = first + slot;
    var state = State(${literal(0, type)}, -1);
    if (i < n) { state = element(start + i * inner, i); }
    for (var step = 1u; step < 256u; step = step << 1u) {
      let is_later = (slot & step) != 0u;
      let last = select(slot, (slot & ~(step - 1u)) - 1u, is_later);
      var other: State;
      ${subgroups ? `if (in_subgroups && step < subgroup_size) {\n${fromSubgroup}\n} else {\n${fromMemory}\n}` : fromMemory}
      if (is_later) { state = join(other, state); }
    }
    state = join(carry, state);
    xs[slot] = state.x;
    ats[slot] = state.at;
    workgroupBarrier();
    if (i < n) { totals[start + i * inner] = ${result}; }
    carry = State(xs[255], ats[255]);
    workgroupBarrier();
  }
}`;
  return nativeShader(
    [
      { name: "values", type: storedAs(dtype) },
      { name: "totals", type: isPosition ? "i32" : type, writes: true },
    ],
    { words: 4, text: `${head}\n${isShared ? shared : serial}` },
  );
}
