import type { DType, Expr, LoopKernel, Output, Stage } from "@gradus/core";
import { ARGUMENTS, Bindings, stored } from "./bindings.js";
import { decodeAxes } from "./decode.js";
import { Expressions } from "./expressions.js";
import { joinThreads, sharedName } from "./join-threads.js";
import { LoopNests } from "./loop-nests.js";
import { type LoopShape, PARALLEL_THREADS, SERIAL_THREADS } from "./loop-shape.js";
import { Lowering } from "./lower.js";
import { storedAs } from "./operations.js";
import { type Combination, combination } from "./reduction.js";
import { assemble, entryPoint, numberThreads, type Shader } from "./shader.js";
import { stageLevels, stagesIn } from "./stage-levels.js";

/** The shader of a loop kernel, or of one pass of it. `limit` is the most storage buffers that it may bind. */
export function loopShader(kernel: LoopKernel, shape: LoopShape, limit: number): Shader {
  return new LoopShader(kernel, shape, limit).build();
}

class LoopShader {
  private readonly bindings: Bindings;
  private readonly lowering = new Lowering();
  private readonly expressions: Expressions;
  private readonly results: string[] = [];
  private readonly levels: readonly number[];
  /** The expressions that this pass computes. */
  private readonly roots: readonly Expr[];
  private readonly isLast: boolean;
  private readonly isParallel: boolean;
  private readonly shared = new Set<string>();
  private readonly loops: LoopNests;

  constructor(
    private readonly kernel: LoopKernel,
    private readonly shape: LoopShape,
    limit: number,
  ) {
    const { stages, writes, checks = [] } = kernel;
    const { pass } = shape;
    this.levels = stageLevels(kernel);
    this.isLast = pass === undefined || pass > Math.max(...this.levels);
    this.isParallel = shape.isParallel;
    const computed = stages.filter((_, i) => pass === undefined || this.levels[i] === pass);
    const ends = this.isLast
      ? [...writes.flatMap((w) => [w.index, w.value]), ...checks.map((check) => check.holds)]
      : [];
    this.roots = [...computed.map((stage) => stage.value), ...ends];
    this.bindings = new Bindings(kernel, {
      axes: kernel.axes,
      limit,
      vectors: shape.fours.buffers,
      roots: this.roots,
      ...(!this.isLast && { outputs: [] }),
      scratch: pass === undefined ? undefined : this.isLast ? "read" : "read_write",
      errors: this.isLast && checks.length > 0,
    });
    this.expressions = new Expressions(this.lowering, {
      axis: (axis) => `a${axis}`,
      size: (axis) => this.bindings.size(axis),
      param: (index) => this.bindings.param(index),
      stage: (index) => this.results[index] as string,
      load: (buffer, index) => this.bindings.load(buffer, index),
    });
    const { bindings, lowering, expressions } = this;
    this.loops = new LoopNests({ kernel, shape, bindings, lowering, expressions });
  }

  build(): Shader {
    const { kernel, shape, expressions, bindings } = this;
    this.findPoint();
    this.loops.hold();
    const { pass } = shape;
    const needed = new Set(stagesIn(this.roots));
    kernel.stages.forEach((stage, i) => {
      const level = this.levels[i] as number;
      if (pass === undefined) this.results[i] = this.reduce(stage, i);
      else if (level === pass) this.leaveParts(stage, i);
      else if (needed.has(i)) this.results[i] = this.joinParts(stage, i);
    });
    if (this.isLast) {
      for (const writes of groupByLoop(kernel.writes)) this.write(writes);
      kernel.checks?.forEach(({ over, holds }, i) => {
        const each = (): void => {
          const code = `${bindings.word(ARGUMENTS.errors)} - ${i}u`;
          expressions.line(`if (!${expressions.value(holds)}) { atomicMax(&errors, ${code}); }`);
        };
        this.loops.run({ over, roots: [holds], each });
      });
    }
    const threads = shape.isParallel ? PARALLEL_THREADS : SERIAL_THREADS;
    const workgroup = [...this.shared].map(
      (type) => `var<workgroup> ${sharedName(type)}: array<${type === "at" ? "i32" : type}, ${threads}>;`,
    );
    const body = entryPoint(threads, expressions.close(), shape.subgroups);
    return {
      code: assemble(`${bindings.text}\n${workgroup.join("\n")}`, body),
      bindings: bindings.list,
      packed: bindings.packed,
      words: bindings.words,
    };
  }

  /** Which grid point the thread works on, and where it lies. */
  private findPoint(): void {
    const { kernel, shape, expressions, bindings } = this;
    const points = bindings.word(ARGUMENTS.points);
    if (!this.isParallel) {
      expressions.line(`let point = block * ${SERIAL_THREADS}u + lane;\nif (point >= ${points}) { return; }`);
    } else {
      let block = "block";
      if (shape.pass !== undefined) {
        const chunks = bindings.word(ARGUMENTS.chunks);
        expressions.line(`let chunk = block % ${chunks};\nlet part_of = block / ${chunks};`);
        block = "part_of";
      }
      // The word holds how many threads work on a point, and above them whether neighbours are neighbouring points.
      const layout = bindings.word(ARGUMENTS.threads);
      expressions.line(`let along = ${layout} >= 1024u;
let ny = ${layout} & 1023u;
let nx = ${PARALLEL_THREADS}u / ny;
${numberThreads(PARALLEL_THREADS, shape.subgroups)}
${shape.subgroups ? "let by_subgroups = in_subgroups && !along;" : ""}
let px = select(slot / ny, slot % nx, along);
let py = select(slot % ny, slot / nx, along);
let first = select(px * ny, px, along);
let stride = select(1u, nx, along);
let inside = ${block} * nx + px < ${points};
let point = min(${block} * nx + px, ${points} - 1u);`);
    }
    const grid = Array.from({ length: kernel.grid }, (_, axis) => axis);
    decodeAxes(expressions, bindings, "point", grid);
  }

  /** The result of a stage at the point, by all threads that work on it. */
  private reduce(stage: Stage, index: number): string {
    const { joined, acc, at } = this.accumulate(stage, index);
    return this.finish(joined, acc, at, index);
  }

  private accumulate(stage: Stage, index: number) {
    const { expressions } = this;
    const joined = combination(stage.op, stage.value.dtype);
    const [acc, at] = [`acc${index}`, `at${index}`];
    expressions.line(`var ${acc} = ${joined.identity};`);
    if (joined.beside !== undefined) expressions.line(`var ${at} = ${joined.beside.first};`);
    const each = (position: string): void => {
      const value = expressions.fresh("v");
      expressions.line(`let ${value} = ${joined.enter(expressions.value(stage.value))};`);
      expressions.line(joined.join(acc, at, value, joined.beside?.of(position) ?? ""));
    };
    this.loops.run({ over: stage.over, roots: [stage.value], each });
    return { joined, acc, at };
  }

  /** Joins the threads' parts, if there are several, and names the result. */
  private finish(joined: Combination, acc: string, at: string, index: number): string {
    const { expressions } = this;
    if (this.isParallel) this.joinThreads(joined, acc, at);
    const name = `s${index}`;
    expressions.line(`let ${name} = ${joined.leave(acc, at)};`);
    return name;
  }

  /** Joins what the threads of a point have, so that all have the result. */
  private joinThreads(joined: Combination, acc: string, at: string): void {
    const { expressions, shape } = this;
    this.shared.add(joined.type);
    if (joined.beside !== undefined) this.shared.add("at");
    expressions.line(
      joinThreads(joined, acc, at, {
        subgroups: shape.subgroups,
        fresh: (prefix) => expressions.fresh(prefix),
      }),
    );
  }

  /** Where the parts of a stage lie in scratch memory: a value and a position for each point and chunk. */
  private partsAt(index: number, chunk: string): { value: string; position: string } {
    const { bindings } = this;
    const [points, chunks] = [bindings.word(ARGUMENTS.points), bindings.word(ARGUMENTS.chunks)];
    const at = (region: number): string =>
      `scratch[${region}u * ${points} * ${chunks} + point * ${chunks} + ${chunk}]`;
    return { value: at(2 * index), position: at(2 * index + 1) };
  }

  private leaveParts(stage: Stage, index: number): void {
    const { joined, acc, at } = this.accumulate(stage, index);
    this.joinThreads(joined, acc, at);
    const parts = this.partsAt(index, "chunk");
    const position = joined.beside !== undefined ? ` ${parts.position} = bitcast<u32>(${at});` : "";
    this.expressions.line(`if (py == 0u && inside) { ${parts.value} = bitcast<u32>(${acc});${position} }`);
  }

  private joinParts(stage: Stage, index: number): string {
    const { expressions } = this;
    const joined = combination(stage.op, stage.value.dtype);
    const [acc, at] = [`acc${index}`, `at${index}`];
    const part = expressions.fresh("part");
    const parts = this.partsAt(index, part);
    expressions.line(`var ${acc} = ${joined.identity};`);
    if (joined.beside !== undefined) expressions.line(`var ${at} = ${joined.beside.first};`);
    const value = `bitcast<${joined.type}>(${parts.value})`;
    const position = `bitcast<i32>(${parts.position})`;
    expressions.line(`for (var ${part} = py; ${part} < ${this.bindings.word(ARGUMENTS.chunks)}; ${part} += ny) {
let part_value = ${value};
${joined.beside !== undefined ? `let part_at = ${position};` : ""}
${joined.join(acc, at, "part_value", "part_at")}
}`);
    return this.finish(joined, acc, at, index);
  }

  /** Writes that share a loop: all values of a point are computed before any is stored. */
  private write(writes: readonly Output[]): void {
    const { expressions, bindings } = this;
    const { over } = writes[0] as Output;
    const { buffers } = this.shape.fours;
    const inFours = writes.flatMap((write) =>
      buffers.has(this.kernel.inputs.length + write.buffer) ? { write, four: expressions.fresh("four") } : [],
    );
    this.loops.run({
      over,
      roots: writes.flatMap(({ index, value }) => [index, value]),
      before: () => {
        for (const { write, four } of inFours) {
          expressions.line(`var ${four} = vec4<${storedAs(this.dtypeOf(write))}>();`);
        }
      },
      each: () => {
        const stores = writes.map((write) => {
          const four = inFours.find((one) => one.write === write)?.four;
          const at = four === undefined ? expressions.fresh("i") : "";
          if (four === undefined) expressions.line(`let ${at} = ${expressions.value(write.index)};`);
          const value = expressions.fresh("w");
          expressions.line(`let ${value} = ${expressions.value(write.value)};`);
          return four === undefined
            ? bindings.store(write.buffer, at, value)
            : `${four}[i] = ${stored(this.dtypeOf(write), value)};`;
        });
        for (const store of stores) expressions.line(store);
      },
      after: () => {
        for (const { write, four } of inFours) {
          const at = this.loops.startOf(write.index, over.at(-1) as number);
          expressions.line(bindings.storeFour(write.buffer, at, four));
        }
      },
    });
  }

  private dtypeOf({ buffer }: Output): DType {
    return this.kernel.outputs[buffer] as DType;
  }
}

function groupByLoop(writes: readonly Output[]): Output[][] {
  const groups = new Map<string, Output[]>();
  for (const write of writes) {
    const key = write.over.join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [write]);
    else group.push(write);
  }
  return [...groups.values()];
}
