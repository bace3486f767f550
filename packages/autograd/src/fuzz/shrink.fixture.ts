import {
  type Argument,
  isSource,
  makeSource,
  mapRefs,
  type Node,
  type Program,
  Ref,
  refsOf,
  runProgram,
  type Source,
} from "@gradus/fuzz";
import { scope } from "@gradus/tensor";
import { device } from "./check.fixture.js";

/** The smallest program found, by taking things away from `program`, that still `fails`. */
export function shrink(program: Program, fails: (program: Program) => boolean): Program {
  let smallest = withoutDead(program);
  if (!fails(smallest)) return program;
  let budget = 600;
  for (let progress = true; progress && budget > 0; ) {
    progress = false;
    for (const candidate of candidates(smallest)) {
      if (budget-- <= 0) break;
      if (sizeOfProgram(candidate) >= sizeOfProgram(smallest) || !fails(candidate)) continue;
      smallest = candidate;
      progress = true;
      break;
    }
  }
  return smallest;
}

/** Fewer steps first, then fewer sources and outputs, then plainer values. */
function sizeOfProgram({ nodes, outputs, donate }: Program): number {
  const steps = nodes.filter((node) => !isSource(node)).length;
  const sources = nodes.filter(isSource);
  const numbers = sources.reduce(
    (sum, source) => sum + source.values.reduce((a, x) => a + (x === 1 ? 1 : x === 0 ? 0 : 2), 0),
    0,
  );
  const captured = sources.filter((source) => source.captured).length;
  return (
    1e6 * steps +
    1e4 * (sources.length + outputs.length) +
    100 * (captured + Number(donate)) +
    Math.min(99, numbers)
  );
}

function* candidates(program: Program): Generator<Program> {
  const { nodes, outputs } = program;
  if (outputs.length > 1) for (const output of outputs) yield withoutDead({ ...program, outputs: [output] });
  // Ends where a step before the end already fails.
  for (let i = 0; i < nodes.length; i++) {
    if (nodes[i]?.kind === "step") yield withoutDead({ ...program, outputs: [i] });
  }
  const results = resultsOf(program);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i] as Node;
    if (isSource(node)) {
      for (const value of [0, 1])
        yield replaced(program, i, { ...node, values: node.values.map(() => value) });
      if (node.captured) yield replaced(program, i, { ...node, captured: false });
      continue;
    }
    const result = results[i];
    if (result !== undefined) yield withoutDead(replaced(program, i, result));
    for (const ref of refsOf(node)) {
      const source = results[ref];
      if (
        source !== undefined &&
        result !== undefined &&
        source.dtype === result.dtype &&
        String(source.shape) === String(result.shape)
      ) {
        yield withoutDead(redirected(program, i, ref));
      }
    }
  }
  if (program.donate) yield { ...program, donate: false };
}

function replaced(program: Program, i: number, node: Node): Program {
  return { ...program, nodes: program.nodes.map((other, k) => (k === i ? node : other)) };
}

/** The program with node `to` in the place of node `from`. */
function redirected(program: Program, from: number, to: number): Program {
  const redirect = (i: number): number => (i === from ? to : i);
  return {
    ...program,
    outputs: program.outputs.map(redirect),
    nodes: program.nodes.map((node) => renumbered(node, redirect)),
  };
}

function withoutDead(program: Program): Program {
  const alive = new Set(program.outputs);
  for (let i = program.nodes.length - 1; i >= 0; i--) {
    if (alive.has(i)) for (const ref of refsOf(program.nodes[i] as Node)) alive.add(ref);
  }
  const kept = program.nodes.flatMap((_, i) => (alive.has(i) ? [i] : []));
  const number = (i: number): number => kept.indexOf(i);
  return {
    ...program,
    outputs: program.outputs.map(number),
    nodes: kept.map((i) => renumbered(program.nodes[i] as Node, number)),
  };
}

function renumbered(node: Node, number: (i: number) => number): Node {
  if (isSource(node)) return node;
  return {
    ...node,
    args: node.args.map((argument) => mapRefs(argument, (ref) => new Ref(number(ref.node))) as Argument),
  };
}

/** Every value of the program as a source, where it can be computed at all. */
function resultsOf(program: Program): (Source | undefined)[] {
  const results: (Source | undefined)[] = [];
  try {
    scope(() => {
      runProgram(program, (i) => makeSource(program.nodes[i] as Source, device)).forEach((x) => {
        results.push({
          kind: "source",
          dtype: x.dtype,
          shape: x.shape,
          values: [...x.data()],
          captured: false,
        });
      });
    });
  } catch {
    // A program that fails while it runs is made smaller in other ways.
  }
  return results;
}
