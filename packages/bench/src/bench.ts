import { browserBench } from "./browser/bench.js";
import { browserWorkloads } from "./browser/workloads.js";
import { type Answer, Contestant } from "./contestant.js";
import { type BenchOptions, benchOptions, help, UsageError } from "./options.js";
import { jsonLine, type Measurement, table } from "./report.js";
import { workloads } from "./workloads.js";

const LIBRARIES = ["gradus", "tfjs", "jax", "torch", "wasm"];
/** Milliseconds for one library's turn at one workload. */
const BUDGET = 150;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof UsageError ? `bench: ${error.message}` : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

async function main(args: readonly string[]): Promise<number> {
  const options = benchOptions(args);
  if (options.help) {
    console.log(help);
    return 0;
  }
  const all = Object.keys(options.browser ? browserWorkloads : workloads);
  const names = all.filter((name) => options.only.test(name));
  if (names.length === 0)
    throw new UsageError(`no workload matches ${options.only}. There are: ${all.join(", ")}`);
  if (options.browser) {
    const measurements = await browserBench(options);
    if (options.json) for (const one of measurements) console.log(jsonLine(one));
    else console.log(table(measurements, "gradus-webgpu"));
    return measurements.some(({ lib }) => lib.startsWith("gradus")) || !options.libs.test("gradus-webgpu")
      ? 0
      : 1;
  }
  const contestants: Contestant[] = [];
  for (const lib of LIBRARIES.filter((name) => options.libs.test(name))) {
    const contestant = Contestant.start(lib, options.threads);
    if (contestant === undefined) console.error(`${lib}: not on this machine, left out`);
    else contestants.push(contestant);
  }
  try {
    const measurements = await rounds(contestants, names, options);
    if (options.json) for (const one of measurements) console.log(jsonLine(one));
    else console.log(table(measurements));
    return measurements.some(({ lib }) => lib === "gradus") || !options.libs.test("gradus") ? 0 : 1;
  } finally {
    for (const one of contestants) one.stop();
  }
}

/** In each round every library has its turn at every workload, so that what slows the machine down slows all. */
async function rounds(
  contestants: readonly Contestant[],
  names: readonly string[],
  { rounds, threads, json }: BenchOptions,
): Promise<Measurement[]> {
  const found = new Map<
    string,
    { lib: string; workload: string; threads: number; times: number[]; flops?: number }
  >();
  const left = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    if (!json) console.error(`round ${round + 1} of ${rounds}`);
    for (const workload of names) {
      for (const contestant of contestants) {
        const lib = contestant.name;
        const id = `${lib} ${workload}`;
        if (left.has(id)) continue;
        const {
          ms,
          flops = workloads[workload]?.flops,
          error,
        } = await measured(contestant, workload, threads);
        if (ms === undefined) {
          left.add(id);
          if (error !== undefined) console.error(`${lib}: ${workload}: ${error}`);
          continue;
        }
        const known = found.get(id);
        if (known !== undefined) known.times.push(ms);
        else found.set(id, { lib, workload, threads, times: [ms], ...(flops !== undefined && { flops }) });
      }
    }
  }
  return [...found.values()];
}

async function measured(contestant: Contestant, workload: string, threads: number): Promise<Answer> {
  if (workloads[workload]?.isFirst !== true) return contestant.measure(workload, BUDGET);
  const fresh = Contestant.start(contestant.name, threads) as Contestant;
  const answer = await fresh.measure(workload, 0);
  fresh.stop();
  return answer;
}
