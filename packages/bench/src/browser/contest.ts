import type { Answer } from "../contestant.js";
import { elapsed, measure, type Prepared, prepare } from "../measure.js";

/** What a library's page offers to whoever drives the browser, as `globalThis.contest`. */
export interface Contest {
  /** Opens the library on one of its devices. */
  open(device: string): Promise<void>;
  /** Measures a workload, for about `budget` milliseconds; for 0, a single run. */
  answer(workload: string, budget: number): Promise<Answer>;
}

type Workloads = Readonly<Record<string, () => () => unknown>>;

/** Offers a library on this page. */
export function enter(open: (device: string) => Promise<Workloads>): void {
  let workloads: Workloads = {};
  const prepared = new Map<string, Prepared>();
  const contest: Contest = {
    async open(device) {
      workloads = await open(device);
    },
    async answer(workload, budget) {
      const make = workloads[workload];
      if (make === undefined) return { absent: true };
      try {
        if (budget === 0) return { ms: await elapsed(make(), 1) };
        let ready = prepared.get(workload);
        if (ready === undefined) {
          ready = await prepare(make());
          prepared.set(workload, ready);
        }
        return { ms: await measure(ready, budget) };
      } catch (error) {
        return { error: error instanceof Error ? error.message : String(error) };
      }
    },
  };
  Object.assign(globalThis, { contest });
}
