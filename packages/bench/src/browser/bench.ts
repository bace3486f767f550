import { type Browser, chromium, type Page } from "playwright";
import { launchOptions, setup } from "../../../../tooling/browser/chromium.js";
import type { Answer } from "../contestant.js";
import type { BenchOptions } from "../options.js";
import type { Measurement } from "../report.js";
import type { Contest } from "./contest.js";
import { servePages } from "./pages.js";
import { browserWorkloads } from "./workloads.js";

/** Each library on each of its devices. */
const contestants = [
  ...["gradus-webgpu", "gradus-webgl", "gradus-cpu"],
  ...["jax-webgpu", "jax-webgl", "jax-wasm"],
  ...["tfjs-webgpu", "tfjs-webgl", "tfjs-wasm"],
];
/** Milliseconds for one contestant's turn at one workload: software drivers need some. */
const BUDGET = 500;

/** Measures training steps of all libraries in one Chromium, in turns, so that what slows the machine down slows all. */
export async function browserBench(options: BenchOptions): Promise<Measurement[]> {
  const { only, libs, rounds, json } = options;
  const names = contestants.filter((name) => libs.test(name));
  const workloads = Object.keys(browserWorkloads).filter((name) => only.test(name));
  await setup();
  const served = await servePages([...new Set(names.map(libraryOf))]);
  const browser = await chromium.launch(launchOptions);
  const found = new Map<string, { lib: string; workload: string; threads: number; times: number[] }>();
  const left = new Set<string>();
  const pages = new Map<string, Page>();
  try {
    for (let round = 0; round < rounds; round++) {
      if (!json) console.error(`round ${round + 1} of ${rounds}`);
      for (const workload of workloads) {
        for (const lib of names) {
          const id = `${lib} ${workload}`;
          if (left.has(id)) continue;
          const { ms, error } = await turn(browser, pages, served.url, lib, workload);
          if (ms === undefined) {
            left.add(id);
            if (error !== undefined) console.error(`${lib}: ${workload}: ${error}`);
            continue;
          }
          const known = found.get(id);
          if (known !== undefined) known.times.push(ms);
          else found.set(id, { lib, workload, threads: 1, times: [ms] });
        }
      }
    }
    return [...found.values()];
  } finally {
    await browser.close();
    served.close();
  }
}

async function turn(
  browser: Browser,
  pages: Map<string, Page>,
  url: string,
  lib: string,
  workload: string,
): Promise<Answer> {
  try {
    const isFirst = browserWorkloads[workload]?.isFirst === true;
    const known = isFirst ? undefined : pages.get(lib);
    const page = known ?? (await openPage(browser, url, lib));
    if (!isFirst) pages.set(lib, page);
    const answer = await page.evaluate(
      ([name, budget]) => (globalThis as unknown as { contest: Contest }).contest.answer(name, budget),
      [workload, isFirst ? 0 : BUDGET] as const,
    );
    if (isFirst) await page.close();
    return answer;
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

async function openPage(browser: Browser, url: string, lib: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${url}/${libraryOf(lib)}`);
  await page.waitForFunction(() => "contest" in globalThis);
  const device = lib.slice(libraryOf(lib).length + 1);
  await page.evaluate((name) => (globalThis as unknown as { contest: Contest }).contest.open(name), device);
  return page;
}

function libraryOf(contestant: string): string {
  return contestant.split("-")[0] as string;
}
