import { CLAIM_WORDS, control } from "./control.js";

/**
 * The program of a worker, as text: it must not depend on where a bundler puts files. It waits for phases, first spinning,
 * then asleep, and does the parts that it can claim, its own first. It cannot receive messages meanwhile, so it finds new
 * modules as bytes in the memory.
 *
 * A description is read between two looks at the sequence, so it is whole. Once a part is claimed for a phase, the phase
 * does not end before that part is done, so what was read stays true.
 */
export const WORKER_SOURCE = `"use strict";
const start = ({ memory, index, spinMs }) => {
  const words = new Int32Array(memory.buffer, 0, ${control.claims});
  const claims = new Int32Array(memory.buffer, ${4 * control.claims});
  const functions = new Map();
  const modules = new Map();
  const text = new TextDecoder();
  const remember = (map, key, value) => {
    if (map.size >= 1024) map.delete(map.keys().next().value);
    map.set(key, value);
    return value;
  };
  const load = (record) => {
    const [module, address, bytes, length] = new Int32Array(memory.buffer, record, 4);
    const copy = (at, count) => new Uint8Array(memory.buffer).slice(at >>> 0, (at >>> 0) + count);
    const exports =
      modules.get(module) ??
      remember(
        modules,
        module,
        new WebAssembly.Instance(new WebAssembly.Module(copy(address, bytes)), { host: { memory } }).exports,
      );
    return exports[text.decode(copy(record + 16, length))];
  };
  const finish = (failed) => {
    for (let seen = Atomics.load(words, ${control.failed}); failed >>> 0 > seen >>> 0; ) {
      seen = Atomics.compareExchange(words, ${control.failed}, seen, failed);
    }
    Atomics.add(words, ${control.done}, 1);
    if (Atomics.load(words, ${control.isMainAsleep}) !== 0) Atomics.notify(words, ${control.done}, 1);
  };
  const work = (phase) => {
    const id = Atomics.load(words, ${control.functionId});
    const record = Atomics.load(words, ${control.record}) >>> 0;
    const args = Atomics.load(words, ${control.args});
    const parts = Atomics.load(words, ${control.parts});
    if (Atomics.load(words, ${control.sequence}) !== phase) return;
    const run = functions.get(id) ?? remember(functions, id, load(record));
    for (let k = 0; k < parts; k++) {
      const part = (index + k) % parts;
      const before = Atomics.load(claims, ${CLAIM_WORDS} * part);
      // Taken, or the phase is over: claims only grow.
      if (((before - phase) | 0) >= 0) continue;
      if (Atomics.compareExchange(claims, ${CLAIM_WORDS} * part, before, phase) !== before) continue;
      let failed = -1;
      try {
        failed = run(args, part, parts);
      } catch {}
      finish(failed);
    }
  };
  Atomics.add(words, ${control.ready}, 1);
  let seen = 0;
  let since = performance.now();
  for (let turn = 1; Atomics.load(words, ${control.isStopped}) === 0; turn++) {
    const phase = Atomics.load(words, ${control.sequence});
    if (phase !== seen && (phase & 1) === 0) {
      seen = phase;
      try {
        work(phase);
      } catch (error) {
        // A record that was given back while this thread was late. Else the thread is of no use.
        if (Atomics.load(words, ${control.sequence}) === phase) throw error;
      }
      since = performance.now();
    } else if ((turn & 255) === 0 && performance.now() - since > spinMs) {
      Atomics.add(words, ${control.sleepers}, 1);
      Atomics.wait(words, ${control.sequence}, phase);
      Atomics.sub(words, ${control.sleepers}, 1);
      since = performance.now();
    }
  }
};
`;
