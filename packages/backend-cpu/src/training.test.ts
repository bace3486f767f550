import { valueAndGrad } from "@gradus/autograd";
import { type Backend, interpreter, type Tensor } from "@gradus/core";
import { crossEntropy } from "@gradus/losses";
import { adam, applyUpdates } from "@gradus/optimizers";
import { compile, key, setDefaultDevice, tensor, zeros } from "@gradus/tensor";
import { afterAll, expect, it } from "vitest";
import { cpu } from "./cpu.js";

afterAll(() => setDefaultDevice(undefined));

/** The losses of 40 compiled steps of a small classifier. */
async function losses(device: Backend): Promise<number[]> {
  setDefaultDevice(device);
  const rule = adam({ lr: 0.02 });
  const x = tensor(
    Array.from({ length: 33 }, (_, i) => Array.from({ length: 6 }, (_, j) => Math.sin(i * (j + 1)))),
  );
  const y = tensor(
    Array.from({ length: 33 }, (_, i) => (i * 7) % 5),
    { dtype: "i32" },
  );
  const [first, second] = key(3).split(2) as [ReturnType<typeof key>, ReturnType<typeof key>];
  let params = {
    w1: first.normal([6, 17], { std: 0.4 }),
    b1: zeros([17]),
    w2: second.normal([17, 5], { std: 0.3 }),
    b2: zeros([5]),
  };
  const logits = (p: typeof params): Tensor => x.matmul(p.w1).add(p.b1).relu().matmul(p.w2).add(p.b2);
  let state = rule.init(params);
  const step = compile((p: typeof params, s: typeof state) => {
    const [loss, grads] = valueAndGrad((q: typeof params) => crossEntropy(logits(q), y))(p);
    const { updates, state: next } = rule.update(grads, s, { params: p });
    return { p: applyUpdates(p, updates), s: next, loss };
  });
  const seen: number[] = [];
  for (let i = 0; i < 40; i++) {
    const { p, s, loss } = step(params, state);
    [params, state] = [p, s];
    seen.push(loss.item());
  }
  return seen;
}

it("trains as the interpreter does, within what f32 rounds", async () => {
  const reference = await losses(interpreter());
  const own = await losses(await cpu());
  expect(own.at(-1)).toBeLessThan((own[0] as number) / 2);
  own.forEach((loss, i) => {
    expect(loss).toBeCloseTo(reference[i] as number, 4);
  });
});
