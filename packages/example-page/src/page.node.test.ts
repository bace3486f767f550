import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright";
import { build, type PreviewServer, preview } from "vite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launchOptions, setup } from "../../../tooling/browser/chromium.js";

const root = fileURLToPath(new URL("..", import.meta.url));
// After a change of the page: UPDATE_PICTURES=1 npx vitest run page, then look at it.
const folder = process.env.UPDATE_PICTURES === undefined ? "../.generated" : "../../../docs/pictures";
const picture = fileURLToPath(new URL(`${folder}/digits-page.png`, import.meta.url));
let server: PreviewServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  await setup();
  await build({ root, logLevel: "error" });
  server = await preview({ root, logLevel: "error", preview: { port: 0 } });
  browser = await chromium.launch(launchOptions);
  page = await browser.newPage({ viewport: { width: 820, height: 980 } });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await server?.close();
}, 60_000);

it("trains digits on the processor, by WebGPU and by WebGL2 to the same accuracy, and stays responsive", {
  timeout: 180_000,
}, async () => {
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.setDefaultTimeout(120_000);
  await page.goto(`${server.resolvedUrls?.local[0]}?epochs=5`);
  await browser.startTracing(page, { categories: ["toplevel"] });
  await page.getByRole("button", { name: "Train" }).click();
  await page.waitForSelector(".run.is-done[data-device=webgl], .run.is-failed");
  await page.waitForSelector("#responsive[data-longest]");
  const tasks = longestTask(JSON.parse((await browser.stopTracing()).toString()));
  await page.screenshot({ path: picture });
  expect(problems).toEqual([]);
  expect(await page.locator(".run.is-failed").allTextContents()).toEqual([]);
  const right = await page
    .locator(".run")
    .evaluateAll((rows) => rows.map((row) => Number((row as HTMLElement).dataset.right)));
  expect(right).toHaveLength(3);
  // Of 360.
  for (const count of right) expect(count).toBeGreaterThan(335);
  expect(Math.max(...right) - Math.min(...right)).toBeLessThanOrEqual(2);
  expect(await page.locator("#chart .curve").count()).toBe(3);
  expect(await page.locator(".digit").count()).toBe(24);
  expect(tasks).toBeGreaterThan(0);
  expect(tasks).toBeLessThan(25);
});

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** When it began, in microseconds. */
  readonly ts: number;
  readonly dur?: number;
  /** Microseconds in which the thread computed, without those in which others had the processor. */
  readonly tdur?: number;
  readonly args?: {
    readonly name?: string;
    readonly chrome_mojo_event_info?: { readonly mojo_interface_tag?: string };
  };
}

/**
 * The milliseconds that the longest task of the page itself took. Whoever drives the browser has tasks in it too: to load its script of
 * 330 kB, which looks for elements, takes longer than anything that the page does.
 */
function longestTask({ traceEvents }: { readonly traceEvents: readonly TraceEvent[] }): number {
  const thread = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const isMain = new Set(
    traceEvents
      .filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain")
      .map(thread),
  );
  const own = traceEvents.filter((event) => isMain.has(thread(event)));
  const driven = own.filter(({ args }) =>
    args?.chrome_mojo_event_info?.mojo_interface_tag?.includes("DevTools"),
  );
  const tasks = own.filter(
    (task) =>
      /RunTask$/.test(task.name) &&
      !driven.some(
        (event) =>
          thread(event) === thread(task) && event.ts >= task.ts && event.ts <= task.ts + (task.dur ?? 0),
      ),
  );
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000;
}
