import { checkpointSequence, valueAndGrad } from "@gradus/autograd";
import { cpu } from "@gradus/backend-cpu";
import { type Backend, interpreter, type Tensor } from "@gradus/core";
import { type Compiled, compile, key, setDefaultDevice } from "@gradus/tensor";

// node tooling/run.mjs examples checkpoint-memory
// What checkpoints save and cost: memory and time of a gradient step of a deep MLP, without and with them.

const LAYERS = 64;
const WIDTH = 128;
const ROWS = 8192;
const ROUNDS = 4;

type Params = readonly { readonly w: Tensor; readonly b: Tensor }[];
type Step = Compiled<[Params, Tensor], { loss: Tensor; grads: Params }>;
type Layer = (x: Tensor) => Tensor;

const variants: Readonly<Record<string, (layers: readonly Layer[]) => Layer>> = {
  "no checkpoints": (layers) => (x) => layers.reduce((y, layer) => layer(y), x),
  "8 segments of 8": (layers) =>
    checkpointSequence(layers, { segments: new Array<number>(8).fill(layers.length / 8) }),
  "falling segments (11, 10, ... 1)": (layers) => checkpointSequence(layers),
};

function stepOf(network: (layers: readonly Layer[]) => Layer): Step {
  return compile((params: Params, x: Tensor) => {
    const loss = (p: Params): Tensor =>
      network(
        p.map(
          ({ w, b }) =>
            (h: Tensor) =>
              h.matmul(w).add(b).tanh(),
        ),
      )(x)
        .square()
        .mean();
    const [value, grads] = valueAndGrad(loss)(params);
    return { loss: value, grads };
  }) as Step;
}

/** The plan's peak memory in MB, parameters and gradients included. */
function peakMegabytes(step: Step): number {
  const [, number, prefix] = /peak ([\d.]+) ([kMG]?)B/.exec(step.explain()) ?? [];
  return Number(number) * 1000 ** (["", "k", "M", "G"].indexOf(prefix ?? "") - 2);
}

function measure(device: Backend): void {
  setDefaultDevice(device);
  const k = key(0);
  const params = Array.from({ length: LAYERS }, (_, i) => ({
    w: k.foldIn(2 * i).normal([WIDTH, WIDTH], { std: 1 / Math.sqrt(WIDTH) }),
    b: k.foldIn(2 * i + 1).normal([WIDTH], { std: 0.1 }),
  }));
  const x = k.foldIn(1000).normal([ROWS, WIDTH]);
  const steps = Object.entries(variants).map(([name, network]) => ({
    name,
    step: stepOf(network),
    best: Infinity,
  }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const entry of steps) {
      const start = performance.now();
      entry.step(params, x).loss.item();
      if (round > 0) entry.best = Math.min(entry.best, performance.now() - start);
    }
  }
  const [first] = steps as [(typeof steps)[number]];
  for (const { name, step, best } of steps) {
    const peak = peakMegabytes(step);
    const less = peakMegabytes(first.step) / peak;
    console.log(
      `| ${device.name} | ${name} | ${peak.toFixed(0)} MB | ${less.toFixed(1)}x | ${best.toFixed(0)} ms | ${(100 * (best / first.best - 1)).toFixed(0)} % |`,
    );
  }
}

console.log("| device | segments | peak memory | less memory | time | more time |");
console.log("| --- | --- | --- | --- | --- | --- |");
measure(await cpu());
if (process.argv.includes("--interpreter")) measure(interpreter());
