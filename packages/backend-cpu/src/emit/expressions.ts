import { affineIn, childrenOf, type DType, type Expr, postOrder } from "@gradus/core";
import { F32, I32, unsigned, V128 } from "../wasm/encode.js";
import { type FunctionBody, op, simd } from "../wasm/function-body.js";
import { instructionOf, isOnBits, shifts, typeOf } from "./instructions.js";
import { operandOf } from "./lower.js";
import { LOWER_HALVES, pushLane, UPPER_HALF } from "./reduction.js";

/** How many values a vector has: two where any value is an f64, else four. */
export type Lanes = 2 | 4;

type Op = Extract<Expr, { kind: "op" }>;

/** The number of the module's function, of lanes, that computes an operation that is no instruction. */
export type Callee = (e: Op) => number;

/** Where the leaves of expressions are: the locals of a function. */
export interface Leaves {
  readonly axes: readonly number[];
  readonly sizes: readonly number[];
  readonly params: readonly number[];
  readonly buffers: readonly number[];
}

type Load = Extract<Expr, { kind: "load" }>;

/** Something that a value depends on: an axis, or a stage as `STAGE + index`. */
const STAGE = 1000;

/**
 * Writes code that computes expressions, each into a local of its own, once for each scope. Along the run axis (if there is
 * one) values that change are vectors, the others numbers. An expression may be known in both forms: the number is then that
 * of the first lane, which is what a vector load needs of its index.
 *
 * With two lanes, values of 32 bits are the lower two of four; what is in the upper two does not matter.
 *
 * At the end of a run a vector may have more lanes than there are points left (see `limit`). What those behind the last
 * point hold does not matter; dense loads read on in memory there, which ends far enough behind the last buffer.
 */
export class ExpressionEmitter {
  /** The axis of the lanes, in the vector part of a loop. */
  private run: number | undefined;
  /** The local with the end of the run axis, where lanes may reach over it. */
  private limit: number | undefined;
  private numbers = new Map<Expr, number>();
  private vectors = new Map<Expr, number>();
  private readonly stages = new Map<number, { readonly local: number; readonly isVector: boolean }>();
  private readonly bound = new Set<number>();
  private readonly needed = new Map<Expr, ReadonlySet<number>>();
  private readonly orders = new Map<readonly Expr[], readonly Expr[]>();

  constructor(
    readonly body: FunctionBody,
    readonly leaves: Leaves,
    private readonly callee: Callee,
    readonly lanes: Lanes = 4,
  ) {}

  /** What `inner` makes known is forgotten after it, since its code may not have run. */
  scope(inner: () => void): void {
    const { numbers, vectors, run, limit } = this;
    this.numbers = new Map(numbers);
    this.vectors = new Map(vectors);
    inner();
    Object.assign(this, { numbers, vectors, run, limit });
  }

  /** Within: loops over `axes`, one point at a time. */
  within(axes: readonly number[], inner: () => void): void {
    for (const axis of axes) this.bound.add(axis);
    this.scope(inner);
    for (const axis of axes) this.bound.delete(axis);
  }

  /** Within: the loop over `axis`, a vector at a time. `limit`: the local with its end, if lanes may reach over it. */
  withinLanes(axis: number, limit: number | undefined, inner: () => void): void {
    this.within([axis], () => {
      this.run = axis;
      this.limit = limit;
      inner();
    });
  }

  setStage(index: number, local: number, isVector: boolean): void {
    this.stages.set(index, { local, isVector });
    this.bound.add(STAGE + index);
  }

  /** Forgets the results of stages, at the end of a grid point's code. */
  clearStages(): void {
    for (const index of this.stages.keys()) this.bound.delete(STAGE + index);
    this.stages.clear();
  }

  /** Computes whatever does not change in the loops that follow. */
  hoist(roots: readonly Expr[], alsoLoads: boolean): void {
    const loads = new Set<Expr>();
    for (const e of this.inOrder(roots)) {
      if (e.kind === "load" || childrenOf(e).some((child) => loads.has(child))) loads.add(e);
      if (isLeaf(e) || (loads.has(e) && !alsoLoads) || this.varies(e) || !this.isAvailable(e)) continue;
      this.number(e);
    }
  }

  /** Spreads the numbers that vectors along `axis` will be combined with. */
  spread(roots: readonly Expr[], axis: number): void {
    for (const e of this.inOrder(roots)) {
      if (!this.needs(e).has(axis) || e.kind === "load") continue;
      for (const child of childrenOf(e)) {
        if (
          child.kind === "const" ||
          !this.isAvailable(child) ||
          this.vectors.has(child) ||
          this.varies(child)
        )
          continue;
        const local = this.body.local(V128);
        this.pushVector(child);
        this.body.set(local);
        this.vectors.set(child, local);
      }
    }
  }

  /** The same roots are looked through once for each loop around them. */
  private inOrder(roots: readonly Expr[]): readonly Expr[] {
    let order = this.orders.get(roots);
    if (order === undefined) {
      order = postOrder(roots).filter((e) => e.kind !== "const");
      this.orders.set(roots, order);
    }
    return order;
  }

  /** Whether an expression has different values in the lanes. */
  varies(e: Expr): boolean {
    for (const need of this.needs(e)) {
      if (need === this.run || (need >= STAGE && this.stages.get(need - STAGE)?.isVector === true))
        return true;
    }
    return false;
  }

  private isAvailable(e: Expr): boolean {
    for (const need of this.needs(e)) if (!this.bound.has(need)) return false;
    return true;
  }

  private needs(e: Expr): ReadonlySet<number> {
    const known = this.needed.get(e);
    if (known !== undefined) return known;
    const needs = new Set<number>();
    if (e.kind === "axis") needs.add(e.axis);
    if (e.kind === "stage") needs.add(STAGE + e.index);
    for (const child of childrenOf(e)) for (const need of this.needs(child)) needs.add(need);
    this.needed.set(e, needs);
    return needs;
  }

  // Numbers

  /** Sees to it that a number is in a local (leaves are already). */
  number(e: Expr): void {
    if (isLeaf(e) || this.numbers.has(e)) return;
    for (const child of childrenOf(e)) this.number(child);
    if (e.kind === "load") this.loadNumber(e);
    else if (e.kind === "cast") this.castNumber(e.value, e.dtype);
    else this.operateOnNumbers(e as Op);
    const local = this.body.local(typeOf(e.dtype));
    this.body.set(local);
    this.numbers.set(e, local);
  }

  pushNumber(e: Expr): void {
    const { body, leaves } = this;
    this.number(e);
    switch (e.kind) {
      case "const":
        body.constant(typeOf(e.dtype), e.value);
        return;
      case "axis":
        body.get(leaves.axes[e.axis] as number);
        return;
      case "size":
        body.get(leaves.sizes[e.axis] as number);
        return;
      case "param":
        body.get(leaves.params[e.index] as number);
        return;
      case "stage":
        body.get((this.stages.get(e.index) as { local: number }).local);
        return;
      default:
        body.get(this.numbers.get(e) as number);
    }
  }

  /** Pushes the address of an element. */
  pushAddress(buffer: number, dtype: DType, pushIndex: () => void): void {
    const { body, leaves } = this;
    body.get(leaves.buffers[buffer] as number);
    pushIndex();
    body.i32(dtype === "f64" ? 3 : 2);
    body.put(op.i32Shl, op.i32Add);
  }

  private loadNumber({ buffer, dtype, index, guard, fill = 0 }: Load): void {
    const { body } = this;
    const load = (): void => {
      this.pushAddress(buffer, dtype, () => this.pushNumber(index));
      body.load(typeOf(dtype));
    };
    if (guard === undefined) {
      load();
      return;
    }
    this.pushNumber(guard);
    body.put(op.if, typeOf(dtype));
    load();
    body.put(op.else);
    body.constant(typeOf(dtype), fill);
    body.put(op.end);
  }

  private castNumber(value: Expr, to: DType): void {
    const { body } = this;
    const from = typeOf(value.dtype);
    this.pushNumber(value);
    if (to === "bool") {
      body.constant(from, 0);
      body.put(from === I32 ? 0x47 : from === F32 ? 0x5c : 0x62);
    } else if (to === "i32") {
      if (from !== I32) body.put(0xfc, from === F32 ? 0 : 2);
    } else if (to === "f32") body.put(from === I32 ? 0xb2 : 0xb6);
    else body.put(from === I32 ? 0xb7 : 0xbb);
  }

  private operateOnNumbers(e: Op): void {
    const { body } = this;
    const instruction = instructionOf(e.op, operandOf(e));
    if (e.op === "where") {
      for (const k of [1, 2, 0]) this.pushNumber(e.args[k] as Expr);
      body.put(op.select);
      return;
    }
    if (instruction !== undefined) {
      for (const arg of e.args) {
        this.pushNumber(arg);
        if (isOnBits(e.op) && arg.dtype === "f32") body.put(op.i32OfBits);
      }
      body.put(instruction[0]);
      if (isOnBits(e.op)) body.put(op.f32OfBits);
      return;
    }
    const isWide = e.dtype === "f64";
    for (const arg of e.args) {
      this.pushNumber(arg);
      body.simd(isWide ? simd.splatF64 : simd.splatF32);
    }
    body.call(this.callee(e));
    body.simd(isWide ? simd.extractF64 : simd.extractF32, 0);
  }

  // Vectors

  vector(e: Expr): void {
    if (this.vectors.has(e) || !this.varies(e) || e.kind === "stage") return;
    if (e.kind === "load") this.loadVector(e);
    else if (e.kind === "cast") this.castVector(e.value, e.dtype);
    else if (e.kind === "axis") this.pushLanesOfAxis(e.axis);
    else this.operateOnVectors(e as Op);
    const local = this.body.local(V128);
    this.body.set(local);
    this.vectors.set(e, local);
  }

  /** Pushes a vector; a number is spread. */
  pushVector(e: Expr): void {
    const { body } = this;
    const known = this.vectors.get(e);
    if (known !== undefined) {
      body.get(known);
      return;
    }
    if (this.varies(e)) {
      if (e.kind === "stage") {
        body.get((this.stages.get(e.index) as { local: number }).local);
        return;
      }
      this.vector(e);
      body.get(this.vectors.get(e) as number);
      return;
    }
    if (e.kind === "const") {
      body.constantVector(typeOf(e.dtype), e.dtype === "bool" ? -e.value : e.value);
      return;
    }
    this.number(e);
    if (e.dtype === "bool") body.i32(0);
    this.pushNumber(e);
    if (e.dtype === "bool") body.put(op.i32Sub);
    body.simd(e.dtype === "f32" ? simd.splatF32 : e.dtype === "f64" ? simd.splatF64 : simd.splatI32);
  }

  /** The local that holds the lanes of an expression. */
  lanesOf(e: Expr): number {
    const local = this.body.local(V128);
    this.pushVector(e);
    this.body.set(local);
    return local;
  }

  /** Whether elements of neighbouring lanes are neighbours. */
  isDense(index: Expr): boolean {
    const stride = affineIn(index, this.run as number)?.stride;
    return stride?.kind === "const" && stride.value === 1 && !this.dependsOnVectorStage(index);
  }

  private dependsOnVectorStage(e: Expr): boolean {
    return [...this.needs(e)].some(
      (need) => need >= STAGE && this.stages.get(need - STAGE)?.isVector === true,
    );
  }

  private pushLanesOfAxis(axis: number): void {
    const { body } = this;
    body.get(this.leaves.axes[axis] as number);
    body.simd(simd.splatI32);
    body.simd(simd.const, ...[0, 1, 2, 3].flatMap((lane) => [lane, 0, 0, 0]));
    body.simd(simd.addI32);
  }

  private loadVector(e: Load): void {
    const { body } = this;
    const { buffer, dtype, index, guard, fill = 0 } = e;
    const stride = this.isDense(index) ? undefined : this.strideOf(index);
    if (stride === undefined && !this.isDense(index)) {
      this.gather(e);
      return;
    }
    const load = (): void => {
      if (stride !== undefined) {
        this.loadApart(e, stride);
        return;
      }
      this.pushAddress(buffer, dtype, () => this.pushNumber(index));
      if (this.lanes === 2 && dtype !== "f64") body.simd(simd.load64Zero, 2, 0);
      else body.simd(simd.load, 2, 0);
      if (dtype === "bool") {
        body.constantVector(I32, 0);
        body.simd(simd.neI32);
      }
    };
    if (stride !== undefined) this.number(stride);
    this.number(index);
    if (guard === undefined) {
      load();
      return;
    }
    if (this.varies(guard)) {
      // The lanes of the index are needed at the edges only, but what is computed in a branch is not known after it.
      this.pushVector(guard);
      this.allTrue();
    } else this.pushNumber(guard);
    const filled = (): void => body.constantVector(typeOf(dtype), dtype === "bool" ? -fill : fill);
    body.put(op.if, V128);
    load();
    body.put(op.else);
    if (!this.varies(guard)) filled();
    else if (stride !== undefined) this.scope(() => this.gather(e));
    else {
      // Where one lane is in the buffer, the others are near enough.
      this.pushVector(guard);
      this.anyTrue();
      body.put(op.if, V128);
      load();
      filled();
      this.pushVector(guard);
      if (dtype === "f64") body.simd(simd.extendI32);
      body.simd(simd.bitSelect);
      body.put(op.else);
      filled();
      body.put(op.end);
    }
    body.put(op.end);
  }

  /** Pushes a vector with `fill` in lanes behind the last point. */
  pushFilled(e: Expr, fill: number): void {
    const { body, limit } = this;
    this.pushVector(e);
    if (limit === undefined) return;
    body.constantVector(typeOf(e.dtype), e.dtype === "bool" ? -fill : fill);
    this.pushLanesOfAxis(this.run as number);
    body.get(limit);
    body.simd(simd.splatI32);
    body.simd(simd.ltI32);
    if (e.dtype === "f64") body.simd(simd.extendI32);
    body.simd(simd.bitSelect);
  }

  /** What is done for a lane, if it is one of a point. */
  inLane(lane: number, inner: () => void): void {
    const { body, limit } = this;
    if (limit === undefined || lane === 0) {
      inner();
      return;
    }
    body.get(this.leaves.axes[this.run as number] as number);
    body.i32(lane);
    body.put(op.i32Add);
    body.get(limit);
    body.put(op.i32Lt);
    body.when(inner);
  }

  /** Replaces a mask by whether it holds in all lanes. */
  allTrue(): void {
    const { body } = this;
    if (this.lanes === 4) body.simd(simd.allTrue);
    else {
      body.simd(simd.extractI64, 0);
      body.put(0x42, 0x7f, op.i64Eq);
    }
  }

  /** Replaces a mask by whether it holds in any lane. */
  private anyTrue(): void {
    const { body } = this;
    if (this.lanes === 4) body.simd(simd.anyTrue);
    else {
      body.simd(simd.extractI64, 0);
      body.put(0x42, 0, op.i64Ne);
    }
  }

  /** Replaces a number and, below it, a vector by the vector with the number in a lane. */
  replaceLane(dtype: DType, lane: number): void {
    const instruction =
      dtype === "f32" ? simd.replaceF32 : dtype === "f64" ? simd.replaceF64 : simd.replaceI32;
    this.body.simd(instruction, lane);
  }

  /** The distance between the elements of neighbouring lanes, if it is the same everywhere. */
  private strideOf(index: Expr): Expr | undefined {
    const stride = affineIn(index, this.run as number)?.stride;
    return stride === undefined || this.dependsOnVectorStage(index) || !this.isAvailable(stride)
      ? undefined
      : stride;
  }

  /** Loads elements that are equally far apart. */
  private loadApart({ buffer, dtype, index }: Load, stride: Expr): void {
    const { body } = this;
    const bytes = dtype === "f64" ? 8 : 4;
    const [at, result] = [body.local(I32), body.local(V128)];
    this.pushAddress(buffer, dtype, () => this.pushNumber(index));
    body.set(at);
    const apart = stride.kind === "const" ? stride.value : undefined;
    let step = -1;
    if (apart === undefined) {
      step = body.local(I32);
      this.pushNumber(stride);
      body.i32(bytes === 8 ? 3 : 2);
      body.put(op.i32Shl);
      body.set(step);
    }
    if (apart === 2 && bytes === 4 && this.lanes === 4 && this.limit === undefined) {
      // Every second of eight.
      for (const offset of [0, 16]) {
        body.get(at);
        body.simd(simd.load, 2, offset);
      }
      body.simd(simd.shuffle, ...[0, 8, 16, 24].flatMap((byte) => [byte, byte + 1, byte + 2, byte + 3]));
      body.set(result);
    } else {
      body.constantVector(I32, 0);
      body.set(result);
      const isAhead = apart !== undefined && apart > 0 && apart < 1024;
      for (let lane = 0; lane < this.lanes; lane++) {
        this.inLane(lane, () => {
          body.get(at);
          body.get(result);
          const offset = isAhead ? unsigned(bytes * (apart as number) * lane) : [0];
          body.simd(bytes === 8 ? simd.load64Lane : simd.load32Lane, bytes === 8 ? 3 : 2, ...offset, lane);
          body.set(result);
          if (isAhead) return;
          if (apart !== undefined) body.advance(at, bytes * apart);
          else {
            body.get(at);
            body.get(step);
            body.put(op.i32Add);
            body.set(at);
          }
        });
      }
    }
    body.get(result);
    if (dtype === "bool") {
      body.constantVector(I32, 0);
      body.simd(simd.neI32);
    }
  }

  /** Loads lane by lane. */
  private gather({ buffer, dtype, index, guard, fill = 0 }: Load): void {
    const { body } = this;
    const indices = this.lanesOf(index);
    const guards = guard === undefined ? undefined : this.lanesOf(guard);
    const result = body.local(V128);
    body.constantVector(typeOf(dtype), fill);
    body.set(result);
    for (let lane = 0; lane < this.lanes; lane++) {
      const load = (): void => {
        body.get(result);
        this.pushAddress(buffer, dtype, () => pushLane(body, "i32", indices, lane));
        body.load(typeOf(dtype));
        this.replaceLane(dtype, lane);
        body.set(result);
      };
      this.inLane(lane, () => {
        if (guards === undefined) load();
        else {
          pushLane(body, "bool", guards, lane);
          body.when(load);
        }
      });
    }
    body.get(result);
    if (dtype === "bool") {
      body.constantVector(I32, 0);
      body.simd(simd.neI32);
    }
  }

  /** Stores a vector, whose value and index are known, to a buffer. */
  store(target: number, index: Expr, value: Expr): void {
    const { body } = this;
    const { dtype } = value;
    if (!this.isDense(index)) {
      const [values, indices] = [this.lanesOf(value), this.lanesOf(index)];
      for (let lane = 0; lane < this.lanes; lane++) {
        this.inLane(lane, () => {
          this.pushAddress(target, dtype, () => pushLane(body, "i32", indices, lane));
          pushLane(body, dtype, values, lane);
          body.store(typeOf(dtype));
        });
      }
      return;
    }
    const push = (): void => {
      this.pushVector(value);
      if (dtype !== "bool") return;
      body.constantVector(I32, 1);
      body.simd(simd.and);
    };
    const address = (): void => this.pushAddress(target, dtype, () => this.pushNumber(index));
    if (this.limit === undefined) {
      address();
      push();
      if (this.lanes === 2 && dtype !== "f64") body.simd(simd.store64Lane, 2, 0, 0);
      else body.simd(simd.store, 2, 0);
      return;
    }
    const [at, values] = [body.local(I32), body.local(V128)];
    address();
    body.set(at);
    push();
    body.set(values);
    for (let lane = 0; lane < this.lanes; lane++) {
      this.inLane(lane, () => {
        body.get(at);
        body.get(values);
        if (dtype === "f64") body.simd(simd.store64Lane, 3, ...unsigned(8 * lane), lane);
        else body.simd(simd.store32Lane, 2, ...unsigned(4 * lane), lane);
      });
    }
  }

  /** Divides lanes by a number: multiplies by its reciprocal in 32 bits (Hacker's Delight, 10-1). */
  private divideLanes(dividend: Expr, divisor: number, isRemainder: boolean): void {
    const { body } = this;
    const value = this.lanesOf(dividend);
    if (divisor === 1) body.get(value);
    else {
      const { factor, shift } = reciprocalOf(divisor);
      for (const instruction of [simd.multiplyLow, simd.multiplyHigh]) {
        body.get(value);
        body.constantVector(I32, factor);
        body.simd(instruction);
      }
      body.simd(simd.shuffle, ...HIGH_WORDS);
      if (factor < 0) {
        body.get(value);
        body.simd(simd.addI32);
      }
      body.i32(shift);
      body.simd(simd.shiftI32);
      // Towards zero.
      body.get(value);
      body.i32(31);
      body.simd(simd.shiftLogicalI32);
      body.simd(simd.addI32);
    }
    if (isRemainder) this.subtractProduct(value, () => body.constantVector(I32, divisor));
  }

  private castVector(value: Expr, to: DType): void {
    const { body } = this;
    const from = value.dtype;
    this.pushVector(value);
    if (to === "bool") {
      body.constantVector(typeOf(from), 0);
      body.simd(from === "f32" ? simd.neF32 : from === "f64" ? simd.neF64 : simd.neI32);
      if (from === "f64") this.narrowMask();
      return;
    }
    if (from === "bool") {
      body.constantVector(I32, 1);
      body.simd(simd.and);
    }
    if (from === "f32") body.simd(to === "i32" ? simd.i32OfF32 : simd.promoteLow);
    else if (from === "f64") body.simd(to === "i32" ? simd.i32OfF64 : simd.demote);
    else if (to !== "i32") body.simd(to === "f32" ? simd.f32OfI32 : simd.f64OfI32);
  }

  /** Makes of a mask of two f64 one of two values of 32 bits. */
  private narrowMask(): void {
    const { body } = this;
    const mask = body.local(V128);
    body.tee(mask);
    body.get(mask);
    body.simd(simd.shuffle, ...LOW_WORDS);
  }

  private operateOnVectors(e: Op): void {
    const { body } = this;
    const operand = operandOf(e);
    const instruction = instructionOf(e.op, operand);
    if (e.op === "where") {
      for (const k of [1, 2, 0]) this.pushVector(e.args[k] as Expr);
      if (operand === "f64") body.simd(simd.extendI32);
      body.simd(simd.bitSelect);
      return;
    }
    const [first, second] = e.args as [Expr, Expr];
    if (e.op === "quotient" || e.op === "remainderOf") {
      const isRemainder = e.op === "remainderOf";
      if (second.kind === "const" && second.value > 0) this.divideLanes(first, second.value, isRemainder);
      else this.divideByLanes(first, second, isRemainder);
      return;
    }
    if (instruction === undefined) {
      for (const arg of e.args) this.pushVector(arg);
      body.call(this.callee(e));
      return;
    }
    const vector = instruction[1] as number;
    const isShift = shifts.has(e.op);
    if (isShift && this.varies(second)) {
      this.shiftByLanes(first, second, vector);
      return;
    }
    this.pushVector(first);
    if (isShift) this.pushNumber(second);
    else for (const arg of e.args.slice(1)) this.pushVector(arg);
    body.simd(vector);
    if (operand === "f64" && e.dtype === "bool") this.narrowMask();
  }

  /** Divides lanes by lanes, as f64: their quotients are exact enough. */
  private divideByLanes(dividend: Expr, divisor: Expr, isRemainder: boolean): void {
    const { body } = this;
    const operands = [this.lanesOf(dividend), this.lanesOf(divisor)];
    const halves = this.lanes === 4 ? [false, true] : [false];
    for (const isUpper of halves) {
      for (const local of operands) {
        body.get(local);
        if (isUpper) {
          body.get(local);
          body.simd(simd.shuffle, ...UPPER_HALF);
        }
        body.simd(simd.f64OfI32);
      }
      body.simd(simd.divF64);
      body.simd(simd.i32OfF64);
    }
    if (this.lanes === 4) body.simd(simd.shuffle, ...LOWER_HALVES);
    if (isRemainder) this.subtractProduct(operands[0] as number, () => body.get(operands[1] as number));
  }

  /** Replaces a quotient by the remainder. */
  private subtractProduct(dividend: number, pushDivisor: () => void): void {
    const { body } = this;
    const quotient = body.local(V128);
    body.set(quotient);
    body.get(dividend);
    body.get(quotient);
    pushDivisor();
    body.simd(simd.mulI32);
    body.simd(simd.subI32);
  }

  /** Shifts lanes by lanes: by the powers of two that make up the amount. */
  private shiftByLanes(value: Expr, amount: Expr, shift: number): void {
    const { body } = this;
    const [shifted, amounts] = [body.local(V128), this.lanesOf(amount)];
    this.pushVector(value);
    body.set(shifted);
    for (let bit = 0; bit < 5; bit++) {
      body.get(shifted);
      body.i32(1 << bit);
      body.simd(shift);
      body.get(shifted);
      // The bit in all bits of the lane.
      body.get(amounts);
      body.i32(31 - bit);
      body.simd(simd.shiftLeftI32);
      body.i32(31);
      body.simd(simd.shiftI32);
      body.simd(simd.bitSelect);
      body.set(shifted);
    }
    body.get(shifted);
  }
}

/** The upper words of four i64 in two vectors. */
const HIGH_WORDS = [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31];

/** The lower words of two pairs of f64 masks. */
const LOW_WORDS = [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11];

export function isLeaf(e: Expr): boolean {
  return (
    e.kind === "const" || e.kind === "axis" || e.kind === "size" || e.kind === "param" || e.kind === "stage"
  );
}

/** How many lanes there are where these are computed. */
export function lanesFor(roots: readonly Expr[]): Lanes {
  return postOrder(roots).some(({ dtype }) => dtype === "f64") ? 2 : 4;
}

/** For a divisor of at least 2: `x / divisor` is the upper half of `x factor`, shifted right (plus 1 if x is negative). */
export function reciprocalOf(divisor: number): { readonly factor: number; readonly shift: number } {
  const d = BigInt(divisor);
  const two31 = 1n << 31n;
  const greatest = two31 - 1n - (two31 % d);
  let power = 32n;
  while (1n << power <= greatest * (d - ((1n << power) % d))) power++;
  const factor = Number(((1n << power) + d - ((1n << power) % d)) / d) | 0;
  return { factor, shift: Number(power - 32n) };
}
