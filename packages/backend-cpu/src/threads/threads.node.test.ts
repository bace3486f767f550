import { Worker } from "node:worker_threads";
import { valueAndGrad } from "@gradus/autograd";
import type { Backend, Tensor } from "@gradus/core";
import { compile, key, setDefaultDevice } from "@gradus/tensor";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cpu } from "../cpu.js";
import { Cpu } from "../cpu-device.js";
import { control } from "./control.js";
import { type Spawn, spawn, type WorkerHandle } from "./spawn.js";
import { WORKER_SOURCE } from "./worker-source.js";

const devices: Cpu[] = [];
const device = (threads: number, how: Spawn = spawn, stallMs = 10_000): Cpu => {
  const made = new Cpu({ collected: true, threads, spawn: how, stallMs });
  devices.push(made);
  return made;
};

/** The bits of what a program computes that is large enough to be split. */
function bits(on: Backend, steps = 3): number[] {
  setDefaultDevice(on);
  const x = key(1).normal([201, 217]);
  const w = key(2).normal([217, 163]);
  const f = compile(valueAndGrad((w: Tensor) => x.matmul(w).tanh().mul(x.mean()).softmax(-1).square().sum()));
  let p = w;
  const out: number[] = [];
  for (let k = 0; k < steps; k++) {
    const [loss, gradient] = f(p);
    p = p.sub(gradient.mul(0.1));
    out.push(...new Int32Array(new Float32Array([loss.item()]).buffer));
  }
  out.push(...new Int32Array(new Float32Array(p.data()).buffer));
  return out;
}

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(devices.splice(0).map((each) => each.dispose()));
});

/** Workers with other code. */
const spawnCode =
  (change: (source: string) => string): Spawn =>
  (start, onEnd) => {
    const code = `${change(WORKER_SOURCE)} start(require("node:worker_threads").workerData);`;
    const worker = new Worker(code, { eval: true, workerData: start });
    worker.on("exit", (status) => onEnd(`exit code ${status}`));
    worker.unref();
    return worker;
  };

/** Runs steps until the worker takes part. */
function untilShared(on: Cpu): void {
  const { machine } = on as unknown as { machine: { memory: { words: Int32Array } } };
  const before = machine.memory.words[control.done] as number;
  for (let k = 0; k < 500 && machine.memory.words[control.done] === before; k++) bits(on, 1);
  expect(machine.memory.words[control.done]).not.toBe(before);
}

const lost = expect.objectContaining({ code: "device-lost" });

describe("threads", () => {
  it("compute the same bits, however many", () => {
    const one = bits(device(1));
    for (const threads of [2, 3, 7]) {
      const on = device(threads);
      expect(bits(on)).toEqual(one);
      // Again, when the workers are surely there.
      untilShared(on);
      expect(bits(on)).toEqual(one);
    }
  });

  it("do without workers that never come up", () => {
    const idle: Spawn = () => ({ terminate: () => {} });
    expect(bits(device(3, idle))).toEqual(bits(device(1)));
  });

  it("do without workers that cannot be started, and say so once", () => {
    const refused: Spawn = () => {
      throw new Error("no threads today");
    };
    const on = device(3, refused);
    expect(bits(on)).toEqual(bits(device(1)));
    expect(console.warn).toHaveBeenCalledOnce();
    expect(console.warn).toHaveBeenCalledWith(expect.stringContaining("no threads today"));
  });

  it("do without a worker that ends between two runs", async () => {
    let worker: WorkerHandle | undefined;
    const on = device(2, (start, onEnd) => {
      worker = spawn(start, onEnd);
      return worker;
    });
    untilShared(on);
    await worker?.terminate();
    expect(console.warn).toHaveBeenCalledOnce();
    expect(console.warn).toHaveBeenCalledWith(expect.stringContaining("one thread"));
    expect(bits(on)).toEqual(bits(device(1)));
  });

  it.each([
    ["dies", "process.exit(3)"],
    ["hangs", "(() => { for (;;); })()"],
  ])("fail clearly if a worker %s within its part, and refuse to go on", (_, instead) => {
    const on = device(
      2,
      spawnCode((source) => source.replace("run(args, part, parts)", instead)),
      300,
    );
    const kept = on.alloc(8);
    on.write(kept, new Float32Array([1, 2]));
    expect(() => untilShared(on)).toThrow(lost);
    expect(() => bits(on)).toThrow(lost);
    expect([...new Float32Array(on.readSync(kept))]).toEqual([1, 2]);
  });

  it("pass on that a part failed in a worker", () => {
    const on = device(
      2,
      spawnCode((source) => source.replace("run(args, part, parts)", "(() => { throw 1; })()")),
    );
    expect(() => untilShared(on)).toThrow(lost);
  });

  it("end with the device", async () => {
    let worker: Worker | undefined;
    const on = device(2, (start, onEnd) => {
      worker = spawn(start, onEnd) as Worker;
      return worker;
    });
    untilShared(on);
    await on.dispose();
    expect((worker as Worker).threadId).toBe(-1);
    expect(console.warn).not.toHaveBeenCalled();
  });

  it("refuse numbers of threads that are none", async () => {
    for (const threads of [0, -1, 1.5, Number.NaN, 65]) {
      await expect(cpu({ threads })).rejects.toMatchObject({ code: "invalid-argument" });
    }
  });
});
