import { valueAndGrad } from "@gradus/autograd";
import { type Backend, type DType, interpreter, type Tensor } from "@gradus/core";
import { compile, key, setDefaultDevice, tensor, zeros } from "@gradus/tensor";
import { expect, it } from "vitest";
import { expectCode } from "./expect-code.js";
import type { Subject } from "./subject.js";

const STEPS = 30;

/** How far from the interpreter's a loss may be, with activations in f32 and in f16, where a rounding may go the other way. */
const TOLERANCE = { f32: 2e-4, f16: 2e-3 } as const;

/** A whole training, compiled: tensors, gradients and an update on the backend, step for step as on the interpreter. */
export function training(subject: Subject): void {
  it.each(["f32", "f16"] as const)(
    "of a small classifier in %s gives the interpreter's losses, and learns",
    async (dtype) => {
      if (!subject.supports(dtype)) {
        expectCode(() => tensor([1], { dtype, device: subject.device }), "unsupported");
        return;
      }
      const expected = await losses(interpreter({ precision: "float32" }), dtype);
      const device = await subject.another();
      const seen = await losses(device, dtype);
      await device.dispose();
      expect(seen.at(-1)).toBeLessThan((seen[0] as number) / 2);
      seen.forEach((loss, step) => {
        const distance = Math.abs(loss - (expected[step] as number));
        expect(distance, `the loss of step ${step}: ${loss}, not ${expected[step]}`).toBeLessThan(
          TOLERANCE[dtype],
        );
      });
    },
  );
}

/** The losses of each step of gradient descent with momentum; parameters are f32 and what the layers compute `dtype`. */
async function losses(device: Backend, dtype: DType): Promise<number[]> {
  setDefaultDevice(device);
  try {
    const x = tensor(
      Array.from({ length: 33 }, (_, i) => Array.from({ length: 6 }, (_, j) => Math.sin(i * (j + 1)))),
    );
    const y = tensor(
      Array.from({ length: 33 }, (_, i) => Array.from({ length: 5 }, (_, j) => ((i * 7) % 5 === j ? 1 : 0))),
    );
    const [first, second] = key(3).split(2) as [ReturnType<typeof key>, ReturnType<typeof key>];
    const start = {
      w1: first.normal([6, 17], { std: 0.4 }),
      b1: zeros([17]),
      w2: second.normal([17, 5], { std: 0.3 }),
      b2: zeros([5]),
    };
    type Params = typeof start;
    const names = Object.keys(start) as (keyof Params)[];
    const loss = ({ w1, b1, w2, b2 }: Params): Tensor => {
      const layer = (from: Tensor, w: Tensor, b: Tensor): Tensor =>
        from.matmul(w.cast(dtype)).add(b.cast(dtype));
      const logits = layer(layer(x.cast(dtype), w1, b1).relu(), w2, b2);
      return logits.cast("f32").logSoftmax(-1).mul(y).sum(-1).mean().neg();
    };
    const step = compile(
      (p: Params, v: Params) => {
        const [value, grads] = valueAndGrad(loss)(p);
        const velocity = { ...v };
        const params = { ...p };
        for (const name of names) {
          velocity[name] = v[name].mul(0.9).add(grads[name]);
          params[name] = p[name].sub(velocity[name].mul(0.1));
        }
        return { params, velocity, value };
      },
      { donate: [0, 1] },
    );
    let params = start;
    let velocity = Object.fromEntries(names.map((name) => [name, zeros(start[name].shape)])) as Params;
    const seen: number[] = [];
    for (let k = 0; k < STEPS; k++) {
      const result = step(params, velocity);
      ({ params, velocity } = result);
      seen.push((await result.value.read())[0] as number);
      result.value.dispose();
    }
    return seen;
  } finally {
    setDefaultDevice(undefined);
  }
}
