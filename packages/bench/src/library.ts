import { createInterface } from "node:readline";
import type { Library, OpenLibrary } from "./libraries/library.js";
import { elapsed, measure, type Prepared, prepare } from "./measure.js";

// node library.js <name> <threads>
// One library in a process of its own: answers each line {"workload", "budget"} on stdin with one line of JSON. A budget of 0
// asks for a single run.
const [name, threads] = process.argv.slice(2);
const answers = process.stdout.write.bind(process.stdout);
// What libraries print must not look like an answer.
process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;

const opened = modules()
  [name as string]?.()
  .then(({ open }) => open(Number(threads)));
const prepared = new Map<string, Prepared>();

for await (const line of createInterface(process.stdin)) {
  answers(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
process.exit();

async function answer({ workload, budget }: { workload: string; budget: number }): Promise<object> {
  try {
    const library = (await opened) as Library;
    const make = library.workloads[workload];
    if (make === undefined) return { absent: true };
    if (budget === 0) return { ms: await elapsed(await make(), 1) };
    let ready = prepared.get(workload);
    if (ready === undefined) {
      ready = await prepare(await make());
      prepared.set(workload, ready);
    }
    const ms = await measure(ready, budget);
    const flops = library.flops?.[workload];
    return flops === undefined ? { ms } : { ms, flops };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** A module is loaded in its own process only. */
function modules(): Readonly<Record<string, () => Promise<{ open: OpenLibrary }>>> {
  return {
    gradus: () => import("./libraries/gradus.js"),
    tfjs: () => import("./libraries/tfjs.js"),
    jax: () => import("./libraries/jax.js"),
    wasm: () => import("./libraries/wasm.js"),
  };
}
