import { PHASE_SIGNATURE } from "../program.js";
import { F32, I32, unsigned, V128, type WasmFunction } from "../wasm/encode.js";
import { FunctionBody, op, simd } from "../wasm/function-body.js";

/** Columns of a panel of b: two vectors. */
export const PANEL = 8;
/** Rows of the result that are computed at once: with two vectors each, eight sums fit the registers. */
export const ROWS = 4;
/** Steps along k that share the arithmetic of addresses. */
const UNROLLED = 4;

/**
 * `c = a b` in f32. The arguments are addresses of a (dense rows), of b (panels of 8 columns, each dense [k, 8]) and of c
 * (rows of whole panels), then the numbers of rows, of panels and of steps along k. The order in
 * which an element is summed depends on the steps alone.
 */
export function multiplyFunction(): WasmFunction {
  const body = new FunctionBody(PHASE_SIGNATURE);
  const [a, b, c, rows, panels, steps] = Array.from({ length: 6 }, (_, i) => {
    const local = body.local(I32);
    body.get(0);
    body.load(I32, 4 * i);
    body.set(local);
    return local;
  }) as [number, number, number, number, number, number];
  const local = (): number => body.local(I32);
  const times = (x: number, factor: number): void => {
    body.get(x);
    body.i32(factor);
    body.put(op.i32Mul);
  };
  const [rowBytes, targetBytes, panelBytes] = [local(), local(), local()];
  times(steps, 4);
  body.set(rowBytes);
  times(panels, 4 * PANEL);
  body.set(targetBytes);
  times(steps, 4 * PANEL);
  body.set(panelBytes);

  const [panel, row, source, target, right, step, whole] = [
    local(),
    local(),
    local(),
    local(),
    local(),
    local(),
    local(),
  ];
  const pointers = Array.from({ length: ROWS }, local);
  const sums = Array.from({ length: 2 * ROWS }, () => body.local(V128));
  const lefts = [body.local(V128), body.local(V128)];
  const rightLocals = Array.from({ length: 4 }, () => body.local(V128));
  body.get(steps);
  body.i32(-UNROLLED);
  body.put(op.i32And);
  body.set(whole);

  const add = (x: number, y: number): void => {
    body.get(x);
    body.get(y);
    body.put(op.i32Add);
  };
  const isBelow = (x: number, end: number): void => {
    body.get(x);
    body.get(end);
    body.put(op.i32Lt);
  };
  /** Adds the products of `length` neighbouring steps from step k on: their sum first, which halves the rounding. */
  const multiplySteps = (count: number, k: number, length: number): void => {
    const rights = rightLocals.slice(0, 2 * length);
    rights.forEach((vector, i) => {
      body.get(right);
      body.simd(simd.load, 2, ...unsigned(4 * PANEL * k + 16 * i));
      body.set(vector);
    });
    for (let r = 0; r < count; r++) {
      for (let i = 0; i < length; i++) {
        body.get(pointers[r] as number);
        body.simd(simd.load32Splat, 2, ...unsigned(4 * (k + i)));
        body.set(lefts[i] as number);
      }
      for (const half of [0, 1]) {
        const sum = sums[2 * r + half] as number;
        body.get(sum);
        for (let i = 0; i < length; i++) {
          body.get(lefts[i] as number);
          body.get(rights[2 * i + half] as number);
          body.simd(simd.mulF32);
          if (i > 0) body.simd(simd.addF32);
        }
        body.simd(simd.addF32);
        body.set(sum);
      }
    }
  };
  const along = (count: number, end: number, unrolled: number): void => {
    isBelow(step, end);
    body.when(() =>
      body.repeat(
        () => {
          for (let k = 0; k < unrolled; k += 2) multiplySteps(count, k, Math.min(2, unrolled));
          for (let r = 0; r < count; r++) body.advance(pointers[r] as number, 4 * unrolled);
          body.advance(right, 4 * PANEL * unrolled);
          body.advance(step, unrolled);
        },
        () => isBelow(step, end),
      ),
    );
  };
  /** `count` rows of one panel. */
  const tile = (count: number): void => {
    for (let r = 0; r < count; r++) {
      if (r === 0) body.get(source);
      else add(pointers[r - 1] as number, rowBytes);
      body.set(pointers[r] as number);
    }
    for (const sum of sums.slice(0, 2 * count)) {
      body.constantVector(F32, 0);
      body.set(sum);
    }
    body.get(b);
    body.set(right);
    body.i32(0);
    body.set(step);
    along(count, whole, UNROLLED);
    along(count, steps, 1);
    for (let r = 0; r < count; r++) {
      for (const half of [0, 1]) {
        body.get(target);
        body.get(sums[2 * r + half] as number);
        body.simd(simd.store, 2, 16 * half);
      }
      add(target, targetBytes);
      body.set(target);
      add(source, rowBytes);
      body.set(source);
    }
    body.advance(row, count);
  };
  const tiles = (count: number): void => {
    const fits = (): void => {
      body.get(row);
      body.i32(count - 1);
      body.put(op.i32Add);
      body.get(rows);
      body.put(op.i32Lt);
    };
    fits();
    body.when(() => body.repeat(() => tile(count), fits));
  };
  isBelow(panel, panels);
  body.when(() =>
    body.repeat(
      () => {
        body.get(a);
        body.set(source);
        body.get(c);
        body.set(target);
        body.i32(0);
        body.set(row);
        tiles(ROWS);
        tiles(1);
        add(b, panelBytes);
        body.set(b);
        body.advance(c, 4 * PANEL);
        body.advance(panel, 1);
      },
      () => isBelow(panel, panels),
    ),
  );
  body.i32(0);
  return body.finish();
}
