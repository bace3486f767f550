import type { LoopKernel, Output, Stage } from "@gradus/core";
import { ARGUMENTS, Bindings } from "./bindings.js";
import { decodeAxes } from "./decode.js";
import { Expressions } from "./expressions.js";
import { joinThreads, sharedName } from "./join-threads.js";
import { Lowering } from "./lower.js";
import { type Combination, combination } from "./reduction.js";
import { assemble, entryPoint, type Shader } from "./shader.js";

/** Threads of a workgroup: of a shader whose threads share points, and of one whose threads have one each. */
export const PARALLEL_THREADS = 256;
export const SERIAL_THREADS = 64;

/** How a loop kernel is laid out on threads. */
export interface LoopShape {
  /** Whether several threads work on a grid point. How many is an argument, so that one shader serves all sizes. */
  readonly isParallel: boolean;
  /**
   * Undefined: the shader computes everything. Else stages are cut into chunks, which workgroups share: the pass with a
   * stage's number leaves its parts in scratch memory, and the last one, numbered as there are stages, writes.
   */
  readonly pass?: number;
  /** Whether threads that share points are joined by subgroups: only in the parallel layout. */
  readonly subgroups: boolean;
}

/** The shader of a loop kernel, or of one pass of it. `limit` is the most storage buffers that it may bind. */
export function loopShader(kernel: LoopKernel, shape: LoopShape, limit: number): Shader {
  return new LoopShader(kernel, shape, limit).build();
}

interface Place {
  readonly over: readonly number[];
}

class LoopShader {
  private readonly bindings: Bindings;
  private readonly expressions: Expressions;
  private readonly results: string[] = [];
  private readonly isLast: boolean;
  private readonly isParallel: boolean;
  private readonly shared = new Set<string>();

  constructor(
    private readonly kernel: LoopKernel,
    private readonly shape: LoopShape,
    limit: number,
  ) {
    const { stages, writes, checks = [] } = kernel;
    const { pass } = shape;
    this.isLast = pass === undefined || pass === stages.length;
    this.isParallel = shape.isParallel;
    const computed = pass === undefined ? stages : stages.slice(pass, pass + 1);
    const ends = this.isLast
      ? [...writes.flatMap((w) => [w.index, w.value]), ...checks.map((check) => check.holds)]
      : [];
    this.bindings = new Bindings(kernel, {
      axes: kernel.axes,
      limit,
      roots: [...computed.map((stage) => stage.value), ...ends],
      ...(!this.isLast && { outputs: [] }),
      scratch: pass === undefined ? undefined : this.isLast ? "read" : "read_write",
      errors: this.isLast && checks.length > 0,
    });
    this.expressions = new Expressions(new Lowering(), {
      axis: (axis) => `a${axis}`,
      size: (axis) => this.bindings.size(axis),
      param: (index) => this.bindings.param(index),
      stage: (index) => this.results[index] as string,
      load: (buffer, index) => this.bindings.load(buffer, index),
    });
  }

  build(): Shader {
    const { kernel, shape, expressions, bindings } = this;
    this.findPoint();
    const { pass } = shape;
    kernel.stages.forEach((stage, i) => {
      if (pass === undefined) this.results.push(this.reduce(stage, i));
      else if (i < pass) this.results.push(this.joinParts(stage, i));
      else if (i === pass) this.leaveParts(stage, i);
    });
    if (this.isLast) {
      for (const writes of groupByLoop(kernel.writes)) this.write(writes);
      kernel.checks?.forEach((check, i) => {
        this.loop(check, () => {
          const holds = expressions.value(check.holds);
          const code = `${bindings.word(ARGUMENTS.errors)} - ${i}u`;
          expressions.line(`if (!${holds}) { atomicMax(&errors, ${code}); }`);
        });
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
${this.numberThreads()}
let px = select(slot / ny, slot % nx, along);
let py = select(slot % ny, slot / nx, along);
let first = select(px * ny, px, along);
let stride = select(1u, nx, along);
let inside = ${block} * nx + px < ${points};
let point = min(${block} * nx + px, ${points} - 1u);`);
    }
    const grid = Array.from({ length: kernel.grid }, (_, axis) => axis);
    this.decode("point", grid);
  }

  /**
   * The number of the thread in its workgroup. Nothing says how threads are put into subgroups, so with them it is counted by
   * subgroups, if all of them are full.
   */
  private numberThreads(): string {
    if (!this.shape.subgroups) return "let slot = lane;";
    return `let in_subgroups = subgroups * subgroup_size == ${PARALLEL_THREADS}u;
let slot = select(lane, subgroup * subgroup_size + subgroup_lane, in_subgroups);
let by_subgroups = in_subgroups && !along;`;
  }

  private decode(position: string, axes: readonly number[]): void {
    decodeAxes(this.expressions, this.bindings, position, axes);
  }

  /** Runs `body` at each point of the axes in `over`; it may use `position`, the point's number in row-major order. */
  private loop({ over }: Place, body: (position: string) => void): void {
    const { expressions, bindings, shape } = this;
    if (this.isParallel) {
      const length = over.map((axis) => `u32(${bindings.size(axis)})`).join(" * ") || "1u";
      const at = expressions.fresh("r");
      let [start, end] = ["py", `select(0u, ${length}, inside)`];
      if (shape.pass !== undefined) {
        const chunks = bindings.word(ARGUMENTS.chunks);
        const part = expressions.fresh("part");
        expressions.line(`let ${part} = (${length} + ${chunks} - 1u) / ${chunks};`);
        start = `chunk * ${part} + py`;
        end = `select(0u, min(${length}, (chunk + 1u) * ${part}), inside)`;
      }
      const limit = expressions.fresh("limit");
      expressions.line(`let ${limit} = ${end};`);
      expressions.open(over);
      this.decode(at, over);
      body(`i32(${at})`);
      const text = expressions.close();
      expressions.line(`for (var ${at} = ${start}; ${at} < ${limit}; ${at} += ny) {\n${text}\n}`);
      return;
    }
    if (over.length === 0) {
      expressions.open([]);
      body("0");
      expressions.line(`{\n${expressions.close()}\n}`);
      return;
    }
    const position = expressions.fresh("r");
    expressions.line(`var ${position} = 0;`);
    for (const axis of over) expressions.open([axis]);
    body(position);
    expressions.line(`${position} += 1;`);
    for (const axis of [...over].reverse()) {
      const text = expressions.close();
      const header = `for (var a${axis} = 0; a${axis} < ${bindings.size(axis)}; a${axis} += 1)`;
      expressions.line(`${header} {\n${text}\n}`);
    }
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
    this.loop(stage, (position) => {
      const value = expressions.fresh("v");
      expressions.line(`let ${value} = ${joined.enter(expressions.value(stage.value))};`);
      expressions.line(joined.join(acc, at, value, joined.beside?.of(position) ?? ""));
    });
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
    const parts = this.partsAt(index, "py");
    const isPart = `py < ${this.bindings.word(ARGUMENTS.chunks)}`;
    expressions.line(`var ${acc} = ${joined.identity};`);
    if (joined.beside !== undefined) expressions.line(`var ${at} = ${joined.beside.first};`);
    const position = joined.beside !== undefined ? ` ${at} = bitcast<i32>(${parts.position});` : "";
    expressions.line(`if (${isPart}) { ${acc} = bitcast<${joined.type}>(${parts.value});${position} }`);
    return this.finish(joined, acc, at, index);
  }

  /** Writes that share a loop: all values of a point are computed before any is stored. */
  private write(writes: readonly Output[]): void {
    const { expressions, bindings } = this;
    this.loop(writes[0] as Output, () => {
      const stores = writes.map(({ buffer, index, value }) => {
        const [at, stored] = [expressions.fresh("i"), expressions.fresh("w")];
        expressions.line(`let ${at} = ${expressions.value(index)};`);
        expressions.line(`let ${stored} = ${expressions.value(value)};`);
        return bindings.store(buffer, at, stored);
      });
      for (const store of stores) expressions.line(store);
    });
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
