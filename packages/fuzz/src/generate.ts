import {
  type Backend,
  broadcastShapes,
  castNumber,
  type DType,
  isFloat,
  type ScalarOpName,
  type Shape,
  scalarOps,
  sizeOf,
  type Tensor,
} from "@gradus/core";
import { type Argument, applyStep, makeSource, type Node, type Program, Ref, refsOf } from "./program.js";
import type { Random } from "./random.js";

const MAX_SIZE = 600;
const elementwise = Object.keys(scalarOps) as ScalarOpName[];

/**
 * A random program that is right by construction: every step of it must work. It is run while it is made, on `device`,
 * so that shapes and dtypes are known. Call it within a scope.
 */
export function generate(random: Random, device: Backend): Program {
  const generator = new Generator(random, device);
  const steps = random.int(1, 9);
  generator.anySource();
  for (let k = 0; k < steps; k++) generator.step();
  return generator.finish();
}

class Generator {
  private readonly nodes: Node[] = [];
  private readonly values: Tensor[] = [];
  /** Whether numbers that are not finite occur among the sources. */
  private readonly wild: boolean;

  constructor(
    private readonly random: Random,
    private readonly device: Backend,
  ) {
    this.wild = random.chance(0.15);
  }

  finish(): Program {
    const { random, nodes } = this;
    const read = new Set<number>();
    for (const node of nodes) for (const ref of refsOf(node)) read.add(ref);
    const outputs = nodes.flatMap((_, i) => (!read.has(i) || random.chance(0.2) ? [i] : []));
    return { nodes, outputs: random.shuffled(outputs), donate: random.chance(0.25) };
  }

  anySource(): Ref {
    return this.source(this.dtype(), this.shape());
  }

  /** Appends one step, or several that belong together. */
  step(): void {
    const { random } = this;
    for (let attempt = 0; attempt < 50; attempt++) {
      const [, make] = weighted(random, kinds);
      if (make(this, random) !== undefined) return;
    }
  }

  /** Appends a step and returns its value. */
  add(name: string, args: readonly Argument[], rough = false): Ref {
    const step: Node = { kind: "step", name, args, rough };
    const value = applyStep(step, (i) => this.values[i] as Tensor);
    this.nodes.push(step);
    this.values.push(value);
    return new Ref(this.nodes.length - 1);
  }

  source(dtype: DType, shape: Shape, value: () => number = () => this.number(dtype)): Ref {
    const { random } = this;
    const values = Array.from({ length: sizeOf(shape) }, () => castNumber(value(), dtype));
    const node: Node = { kind: "source", dtype, shape, values, captured: random.chance(0.2) };
    this.nodes.push(node);
    this.values.push(makeSource(node, this.device));
    return new Ref(this.nodes.length - 1);
  }

  of(ref: Ref): Tensor {
    return this.values[ref.node] as Tensor;
  }

  /** A value made before, the later the likelier; or a new source. */
  value(fits: (x: Tensor) => boolean = () => true): Ref | undefined {
    const found = this.values.flatMap((x, i) => (fits(x) ? [new Ref(i)] : []));
    if (found.length === 0) return undefined;
    const late = found.slice(-3);
    return this.random.chance(0.7) ? this.random.pick(late) : this.random.pick(found);
  }

  floats(): Ref {
    return this.value((x) => isFloat(x.dtype)) ?? this.source(this.floatDType(), this.shape());
  }

  dtype(): DType {
    return this.random.pick(["f32", "f32", "f32", "f32", "f32", "i32", "bool", "f64"]);
  }

  floatDType(): DType {
    return this.random.chance(0.85) ? "f32" : "f64";
  }

  shape(): number[] {
    const { random } = this;
    const rank = random.pick([0, 1, 1, 2, 2, 2, 3, 3, 4]);
    const shape = Array.from({ length: rank }, () =>
      random.pick([1, 2, 2, 3, 3, 4, 5, 7, random.chance(0.2) ? 0 : 6]),
    );
    return sizeOf(shape) <= MAX_SIZE ? shape : shape.slice(1);
  }

  number(dtype: DType): number {
    const { random } = this;
    if (dtype === "bool") return random.int(0, 1);
    if (dtype === "i32")
      return random.chance(0.03) ? random.pick([2147483647, -2147483648]) : random.int(-6, 6);
    if (this.wild && random.chance(0.1))
      return random.pick([Number.NaN, Infinity, -Infinity, -0, 1e30, -1e30]);
    if (random.chance(0.25)) return random.int(-3, 3);
    return castNumber(4 * random.unit() - 2, dtype);
  }

  /** A plain number, as users write them. */
  constant(): number {
    const { random } = this;
    return random.chance(0.5) ? random.int(-3, 3) : Math.round((6 * random.unit() - 3) * 100) / 100;
  }

  /** Some axes of a tensor as an argument: none (all), one, or a list; `nonEmpty` axes have elements. */
  axes(x: Tensor, nonEmpty: boolean): { readonly axes: Argument } | undefined {
    const { random } = this;
    const usable = x.shape.flatMap((n, axis) => (nonEmpty && n === 0 ? [] : [axis]));
    if (random.chance(0.25) && usable.length === x.ndim) return { axes: undefined };
    if (usable.length === 0) return x.ndim === 0 ? { axes: undefined } : undefined;
    if (random.chance(0.5)) return { axes: this.either(random.pick(usable), x.ndim) };
    const count = random.int(0, usable.length);
    return {
      axes: random
        .shuffled(usable)
        .slice(0, count)
        .map((axis) => this.either(axis, x.ndim)),
    };
  }

  axis(x: Tensor): number | undefined {
    return x.ndim === 0 ? undefined : this.either(this.random.int(0, x.ndim - 1), x.ndim);
  }

  /** The axis counted from the front or from the end. */
  private either(axis: number, rank: number): number {
    return this.random.chance(0.3) ? axis - rank : axis;
  }

  keepdims(): Argument[] {
    return this.random.chance(0.4) ? [{ keepdims: true }] : [];
  }

  /** A value that broadcasts with x, of a dtype that fits. */
  partner(x: Tensor, fits: (dtype: DType) => boolean): Ref {
    const { random } = this;
    const found = this.value((y) => fits(y.dtype) && joinedSize(x.shape, y.shape) <= MAX_SIZE);
    if (found !== undefined && random.chance(0.7)) return found;
    const shape = x.shape
      .map((n) => (random.chance(0.3) ? 1 : n))
      .slice(random.chance(0.3) ? random.int(0, x.ndim) : 0);
    const dtypes = (["f32", "f32", "f32", "i32", "bool", "f64"] as const).filter(fits);
    return this.source(random.pick(dtypes), shape);
  }
}

type Kind = readonly [weight: number, make: (g: Generator, random: Random) => Ref | undefined];

const kinds: readonly Kind[] = [
  [24, scalarOperation],
  [
    4,
    (g, random) =>
      reduction(
        g,
        random.pick(["sum", "mean", "prod", "max", "min", "any", "all", "var", "std", "logsumexp"]),
      ),
  ],
  [1, (g, random) => position(g, random.pick(["argmax", "argmin"]))],
  [1, norm],
  [2, (g, random) => softmax(g, random.pick(["softmax", "logSoftmax"]))],
  [3, matmul],
  [2, reshape],
  [
    1,
    (g) =>
      ofValue(g, (ref, x) => (x.ndim === 0 ? undefined : g.add("transpose", [ref, g.axis(x), g.axis(x)]))),
  ],
  [1, (g) => ofValue(g, (ref, x) => (x.ndim < 2 ? undefined : g.add("transpose", [ref])))],
  [
    2,
    (g, random) =>
      ofValue(g, (ref, x) => g.add("permute", [ref, random.shuffled(x.shape.map((_, axis) => axis))])),
  ],
  [1, (g) => ofValue(g, (ref) => g.add("squeeze", [ref]))],
  [
    1,
    (g, random) =>
      ofValue(g, (ref, x) =>
        x.ndim > 3 ? undefined : g.add("unsqueeze", [ref, random.int(-x.ndim - 1, x.ndim)]),
      ),
  ],
  [2, expand],
  [4, slice],
  [1, (g) => ofValue(g, (ref, x) => g.add("flip", [ref, g.axes(x, false)?.axes]))],
  [1, flatten],
  [2, pad],
  [2, gather],
  [2, scatterAdd],
  [1, oneHot],
  [2, concatenation],
  [2, (g, random) => onFloats(g, random.pick(smooth))],
  [1, (g, random) => onFloats(g, random.pick(bent), true)],
  [1, blend],
  [1, triangle],
  [1, diagonal],
  [1, roll],
  [1, repeat],
  [1, windows],
  [1, padWith],
  [3, index],
  [1, indexSelect],
  [1, indexAdd],
  [1, indexPut],
  [2, scatter],
  [2, (g, random) => ofValue(g, (ref, x) => cast(g, ref, x, random.pick(["f32", "f64", "i32", "bool"])))],
  [1, (g, random) => ofValue(g, (ref) => g.add(random.pick(["zerosLike", "onesLike", "detach"]), [ref]))],
];

function ofValue(g: Generator, make: (ref: Ref, x: Tensor) => Ref | undefined): Ref | undefined {
  const ref = g.value();
  return ref === undefined ? undefined : make(ref, g.of(ref));
}

/** Operations that jump where their operand hardly changes. */
const rough = new Set<string>([
  ...["floor", "ceil", "trunc", "round", "frac", "remainder", "fmod", "sign"],
  ...["eq", "ne", "lt", "le", "gt", "ge"],
]);

/** What brings an operand into the domain, most of the time. */
const taming: Partial<Record<ScalarOpName, "positive" | "unit" | "aboveOne" | "small">> = {
  ...Object.fromEntries(
    ["log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal", "pow"].map((n) => [n, "positive"]),
  ),
  ...Object.fromEntries(["asin", "acos", "atanh"].map((name) => [name, "unit"])),
  acosh: "aboveOne",
  ...Object.fromEntries(["exp", "exp2", "expm1", "sinh", "cosh", "tan"].map((name) => [name, "small"])),
};

function scalarOperation(g: Generator, random: Random): Ref | undefined {
  const name = random.pick(elementwise);
  const { arity, typing } = scalarOps[name];
  const isBool = (dtype: DType): boolean => dtype === "bool";
  const fits = typing === "logic" || typing === "select" ? isBool : typing === "bits" ? notFloat : () => true;
  const needed = typing === "bits" ? "i32" : "bool";
  let first = g.value((x) => fits(x.dtype)) ?? g.source(needed, random.chance(0.5) ? [] : g.shape());
  const way = taming[name];
  if (way !== undefined && random.chance(0.85)) first = tame(g, first, way);
  const x = g.of(first);
  const operands: Argument[] = [];
  const shapes: Shape[] = [x.shape];
  for (let k = 1; k < arity; k++) {
    if (random.chance(0.4)) {
      operands.push(
        typing === "logic" ? random.chance(0.5) : typing === "bits" ? random.int(-3, 3) : g.constant(),
      );
      continue;
    }
    const other = g.partner(x, typing === "select" ? () => true : fits);
    operands.push(other);
    shapes.push(g.of(other).shape);
  }
  // Each operand broadcasts with the first; together they may not.
  if (
    shapes.length === 3 &&
    joinedSize(joined(shapes[0] as Shape, shapes[1] as Shape) ?? [], shapes[2] as Shape) > MAX_SIZE
  ) {
    return undefined;
  }
  const floats = [first, ...operands].some((o) => o instanceof Ref && isFloat(g.of(o).dtype));
  return g.add(
    name,
    [first, ...operands],
    rough.has(name) && (floats || operands.some((o) => typeof o === "number")),
  );
}

function notFloat(dtype: DType): boolean {
  return !isFloat(dtype);
}

function tame(g: Generator, ref: Ref, way: "positive" | "unit" | "aboveOne" | "small"): Ref {
  switch (way) {
    case "positive":
      return g.add("add", [g.add("abs", [ref]), 0.5]);
    case "unit":
      return g.add("mul", [g.add("tanh", [ref]), 0.9]);
    case "aboveOne":
      return g.add("add", [g.add("abs", [ref]), 1.25]);
    case "small":
      return g.add("clamp", [ref, -1.25, 1.25]);
  }
}

function reduction(g: Generator, name: string): Ref | undefined {
  const ref = name === "logsumexp" ? g.floats() : g.value();
  if (ref === undefined) return undefined;
  const x = g.of(ref);
  const axes = g.axes(x, name === "max" || name === "min");
  if (axes === undefined) return undefined;
  const options = g.keepdims();
  const truth = (name === "any" || name === "all") && isFloat(x.dtype);
  return g.add(name, [ref, axes.axes, ...options], truth);
}

function position(g: Generator, name: string): Ref | undefined {
  return ofValue(g, (ref, x) => {
    if (x.size === 0) return undefined;
    return g.add(name, [ref, g.axis(x), ...g.keepdims()], isFloat(x.dtype));
  });
}

function norm(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    const p = random.pick([0, 0.5, 1, 2, 2, 3, Infinity, -Infinity]);
    const axes = g.axes(x, Math.abs(p) === Infinity);
    return axes === undefined
      ? undefined
      : g.add("norm", [ref, axes.axes, { p, keepdims: random.chance(0.3) }], p === 0);
  });
}

function softmax(g: Generator, name: string): Ref | undefined {
  const ref = g.floats();
  const x = g.of(ref);
  return g.add(name, [ref, g.axis(x) ?? 0]);
}

function matmul(g: Generator, random: Random): Ref | undefined {
  const ref = g.value((x) => x.ndim > 0);
  if (ref === undefined) return undefined;
  const x = g.of(ref);
  const k = x.shape.at(-1) as number;
  const known = g.value((y) => (y.ndim === 1 ? y.shape[0] === k : y.shape.at(-2) === k) && batches(x, y));
  if (known !== undefined && random.chance(0.5)) return g.add("matmul", [ref, known]);
  if (random.chance(0.15)) return g.add("matmul", [ref, g.source(random.pick(["f32", "i32"]), [k])]);
  const n = random.int(1, 5);
  const batch = x.shape
    .slice(0, -2)
    .map((size) => (random.chance(0.5) ? 1 : size))
    .slice(random.int(0, 1));
  if (x.ndim >= 2 && random.chance(0.3)) {
    // Transposed views of one kind or the other.
    return g.add("matmul", [ref, g.add("transpose", [g.source("f32", [...batch, n, k])])]);
  }
  return g.add("matmul", [
    ref,
    g.source(random.pick(["f32", "f32", "f64", "i32"]), x.ndim === 1 ? [k, n] : [...batch, k, n]),
  ]);
}

function batches(x: Tensor, y: Tensor): boolean {
  const batch = joined(x.shape.slice(0, -2), y.shape.slice(0, -2));
  if (batch === undefined) return false;
  return sizeOf(batch) * (x.shape.at(-2) ?? 1) * (y.ndim === 1 ? 1 : (y.shape.at(-1) as number)) <= MAX_SIZE;
}

function reshape(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    // Factors of the size, dealt to up to four axes.
    const shape: number[] = new Array<number>(random.int(x.size === 1 ? 0 : 1, 4)).fill(1);
    if (x.size === 0) shape[random.int(0, shape.length - 1)] = 0;
    else {
      let rest = x.size;
      for (let factor = 2; rest > 1; factor++) {
        while (rest % factor === 0) {
          const axis = random.int(0, shape.length - 1);
          shape[axis] = (shape[axis] as number) * factor;
          rest /= factor;
        }
      }
    }
    if (x.size > 0 && shape.length > 0 && random.chance(0.3)) shape[random.int(0, shape.length - 1)] = -1;
    return g.add("reshape", [ref, shape]);
  });
}

function expand(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    const own = x.shape.map((n) =>
      n === 1 && random.chance(0.7) ? random.int(0, 5) : random.chance(0.3) ? -1 : n,
    );
    const extra = x.ndim < 4 && random.chance(0.4) ? [random.int(1, 3)] : [];
    const size = sizeOf([...extra, ...own.map((n, axis) => (n === -1 ? (x.shape[axis] as number) : n))]);
    return size > MAX_SIZE ? undefined : g.add("expand", [ref, [...extra, ...own]]);
  });
}

function slice(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    const bound = (n: number): number | undefined =>
      random.chance(0.35) ? undefined : random.int(-n - 1, n + 1);
    const ranges = x.shape.slice(0, random.int(0, x.ndim)).map((n): Argument => {
      if (random.chance(0.3)) return null;
      return [bound(n), bound(n), random.pick([1, 1, 1, 2, 3, -1, -1, -2, -3])];
    });
    return g.add("slice", [ref, ...ranges]);
  });
}

function flatten(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    if (x.ndim === 0) return g.add("flatten", [ref]);
    const start = random.int(0, x.ndim - 1);
    return g.add("flatten", [ref, start, random.int(start, x.ndim - 1)]);
  });
}

function pad(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    const widths = x.shape.map((n) => [random.int(n > 0 ? -1 : 0, 2), random.int(0, 2)]);
    const size = sizeOf(
      x.shape.map((n, axis) => n + (widths[axis]?.[0] as number) + (widths[axis]?.[1] as number)),
    );
    if (size > MAX_SIZE) return undefined;
    return g.add("pad", [ref, widths, ...(random.chance(0.5) ? [random.int(-2, 2)] : [])]);
  });
}

/** The index of a gather or scatter along an axis with n elements: sizes up to the tensor's. */
function indexFor(g: Generator, random: Random, x: Tensor, axis: number): Ref {
  const n = x.shape.at(axis) as number;
  const at = axis < 0 ? axis + x.ndim : axis;
  const shape = x.shape.map((size, k) =>
    k === at ? (n === 0 ? 0 : random.int(0, 5)) : random.int(Math.min(1, size), size),
  );
  return g.source("i32", shape, () => random.int(0, n - 1));
}

function gather(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    const axis = g.axis(x);
    return axis === undefined ? undefined : g.add("gather", [ref, axis, indexFor(g, random, x, axis)]);
  });
}

function scatterAdd(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    const axis = g.axis(x);
    if (axis === undefined) return undefined;
    const index = indexFor(g, random, x, axis);
    const shape = g.of(index).shape.map((n) => n + random.int(0, 1));
    return g.add("scatterAdd", [ref, axis, index, g.source(random.pick(["f32", "f32", x.dtype]), shape)]);
  });
}

function oneHot(g: Generator, random: Random): Ref | undefined {
  const classes = random.int(1, 5);
  const index = g.source("i32", g.shape().slice(0, 2), () => random.int(0, classes - 1));
  return g.add("oneHot", [index, classes]);
}

function concatenation(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    const others = Array.from({ length: random.int(0, 2) }, () => {
      return g.value((y) => y.ndim === x.ndim && y.shape.every((n, axis) => n === x.shape[axis])) as Ref;
    });
    const parts = random.shuffled([ref, ...others]);
    if (x.size * parts.length > MAX_SIZE) return undefined;
    if (x.ndim < 4 && random.chance(0.5)) return g.add("stack", [parts, random.int(-x.ndim - 1, x.ndim)]);
    if (x.ndim === 0) return undefined;
    const axis = random.int(0, x.ndim - 1);
    const more = g.source(
      g.dtype(),
      x.shape.map((n, k) => (k === axis ? random.int(0, 3) : n)),
    );
    return g.add("concat", [random.shuffled([...parts, more]), axis]);
  });
}

/** Functions of one tensor of floats, and those that jump. */
const smooth = [
  "celu",
  "selu",
  "softsign",
  "tanhshrink",
  "softshrink",
  "hardsigmoid",
  "hardswish",
  "geluTanh",
];
const bent = ["hardshrink", "logit", "nanToNum"];

function onFloats(g: Generator, name: string, rough = false): Ref {
  return g.add(name, [g.floats()], rough);
}

function blend(g: Generator, random: Random): Ref | undefined {
  const [first, name] = [g.floats(), random.pick(["lerp", "addcmul"])];
  const x = g.of(first);
  const [a, b] = [g.partner(x, isFloat), g.partner(x, isFloat)];
  const shape = joined(joined(x.shape, g.of(a).shape) ?? [], g.of(b).shape);
  // Each operand broadcasts with the first; together they may not.
  if (shape === undefined || sizeOf(shape) > MAX_SIZE) return undefined;
  return g.add(name, [first, a, b], name === "lerp");
}

function triangle(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) =>
    x.ndim < 2 ? undefined : g.add(random.pick(["tril", "triu"]), [ref, random.int(-3, 3)]),
  );
}

function diagonal(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    if (x.ndim < 2) return undefined;
    const [a, b] = random.shuffled(x.shape.map((_, axis) => axis));
    return g.add("diagonal", [ref, random.int(-2, 2), a, b]);
  });
}

function roll(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    if (random.chance(0.3)) return g.add("roll", [ref, random.int(-5, 5)]);
    const axes = random.shuffled(x.shape.map((_, axis) => axis)).slice(0, random.int(0, x.ndim));
    return g.add("roll", [ref, axes.map(() => random.int(-5, 5)), axes]);
  });
}

function repeat(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    const counts = Array.from({ length: Math.min(4, x.ndim + random.int(0, 1)) }, () => random.int(0, 3));
    return x.size * counts.reduce((a, b) => a * b, 1) > MAX_SIZE ? undefined : g.add("repeat", [ref, counts]);
  });
}

function windows(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    const axis = g.axis(x);
    const n = axis === undefined ? 0 : (x.shape.at(axis) as number);
    if (n === 0 || x.ndim > 3) return undefined;
    const size = random.int(1, n);
    return x.size * size > MAX_SIZE ? undefined : g.add("windows", [ref, axis, size, random.int(1, 3)]);
  });
}

function padWith(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    const mode = random.pick(["reflect", "replicate", "circular"]);
    const widths = x.shape.map((n) => {
      const most = n === 0 ? 0 : Math.min(2, mode === "reflect" ? n - 1 : n);
      return [random.int(0, most), random.int(0, most)];
    });
    const size = sizeOf(x.shape.map((n, axis) => n + sizeSum(widths[axis] as number[])));
    return size > MAX_SIZE ? undefined : g.add("padWith", [ref, widths, mode]);
  });
}

function sizeSum(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0);
}

/** Entries for the leading axes: numbers, ranges, new axes, and index tensors that broadcast with each other. */
function entries(g: Generator, random: Random, x: Tensor): Argument[] {
  const count = random.int(1, 3);
  const list: Argument[] = [];
  for (const n of x.shape.slice(0, random.int(0, x.ndim))) {
    if (x.ndim + list.length < 4 && random.chance(0.15)) list.push("newaxis");
    const way = random.int(0, 3);
    if (n === 0 || way === 0) list.push([random.int(-n, n), undefined, random.pick([1, 1, 2, -1])]);
    else if (way === 1) list.push(random.int(-n, n - 1));
    else if (way === 2) list.push(null);
    else {
      const shape = random.pick([[count], [1], [2, count]]);
      list.push(g.source("i32", shape, () => random.int(-n, n - 1)));
    }
  }
  if (random.chance(0.3)) list.splice(random.int(0, list.length), 0, "...");
  return list;
}

function index(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    // After an ellipsis the entries count from the end: their sizes are not these.
    const list = entries(g, random, x).filter(
      (entry) => entry !== "..." || x.shape.every((n) => n === x.shape[0]),
    );
    return x.size > MAX_SIZE / 6 ? undefined : g.add("index", [ref, ...list]);
  });
}

function indexSelect(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    const axis = g.axis(x);
    const n = axis === undefined ? 0 : (x.shape.at(axis) as number);
    if (n === 0) return undefined;
    return g.add("indexSelect", [ref, axis, g.source("i32", [random.int(0, 4)], () => random.int(0, n - 1))]);
  });
}

function indexAdd(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    const axis = g.axis(x);
    const n = axis === undefined ? 0 : (x.shape.at(axis) as number);
    if (n === 0) return undefined;
    const count = random.int(0, 4);
    const at = (axis as number) < 0 ? (axis as number) + x.ndim : axis;
    const source = g.source(
      random.pick(["f32", x.dtype]),
      x.shape.map((size, k) => (k === at ? count : size)),
    );
    return g.add("indexAdd", [ref, axis, g.source("i32", [count], () => random.int(0, n - 1)), source]);
  });
}

function indexPut(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    if (x.size > MAX_SIZE / 6) return undefined;
    const list = entries(g, random, x).filter((entry) => entry !== "...");
    const value = random.chance(0.5) ? g.source(random.pick(["f32", x.dtype]), []) : random.int(-3, 3);
    return g.add("indexPut", [ref, list, value, { accumulate: random.chance(0.5) }]);
  });
}

function scatter(g: Generator, random: Random): Ref | undefined {
  return ofValue(g, (ref, x) => {
    const axis = g.axis(x);
    if (axis === undefined) return undefined;
    const at = indexFor(g, random, x, axis);
    const source = g.source(random.pick(["f32", x.dtype]), g.of(at).shape);
    if (random.chance(0.4)) return g.add("scatter", [ref, axis, at, source]);
    const reduction = random.pick(["sum", "prod", "mean", "amax", "amin"]);
    const options = { includeSelf: random.chance(0.5) };
    return g.add("scatterReduce", [ref, axis, at, source, reduction, options], reduction === "mean");
  });
}

function cast(g: Generator, ref: Ref, x: Tensor, dtype: DType): Ref {
  return g.add("cast", [ref, dtype], isFloat(x.dtype) && !isFloat(dtype));
}

function joined(a: Shape, b: Shape): number[] | undefined {
  try {
    return broadcastShapes("fuzz", a, b);
  } catch {
    return undefined;
  }
}

function joinedSize(a: Shape, b: Shape): number {
  const shape = joined(a, b);
  return shape === undefined ? Number.POSITIVE_INFINITY : sizeOf(shape);
}

function weighted(random: Random, list: readonly Kind[]): Kind {
  let rest = random.unit() * list.reduce((sum, [weight]) => sum + weight, 0);
  for (const kind of list) {
    rest -= kind[0];
    if (rest < 0) return kind;
  }
  return list[0] as Kind;
}
