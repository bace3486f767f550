import { LossChart } from "./chart.js";
import { digitElement } from "./digit.js";
import type { DeviceName, News, Order } from "./messages.js";
import { RunRow } from "./run-row.js";
import { TaskWatch } from "./tasks.js";

/* The page: it shows what the worker tells, and computes nothing. */

const EPOCHS = Number(new URLSearchParams(location.search).get("epochs") ?? 20);

const form = element<HTMLFormElement>("controls");
const button = form.querySelector("button") as HTMLButtonElement;
const choices = form.querySelector("fieldset") as HTMLFieldSetElement;
const runs = element("runs");
const digits = element("digits");
const responsive = element("responsive");
const chart = new LossChart(document.querySelector("#chart") as SVGSVGElement, EPOCHS);
const tasks = new TaskWatch();
// One for all trainings: to end a worker would hold the page up until its thread is gone.
const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });

chart.clear();
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const chosen = new FormData(form).get("device") as DeviceName | "all";
  void trainAll(chosen === "all" ? ["cpu", "webgpu", "webgl"] : [chosen]);
});

/** Trains on one device after another. */
async function trainAll(devices: readonly DeviceName[]): Promise<void> {
  button.disabled = true;
  choices.disabled = true;
  chart.clear();
  digits.replaceChildren();
  const rows = devices.map((device) => new RunRow(device));
  runs.replaceChildren(...rows.map((row) => row.element));
  tasks.reset();
  for (const row of rows) await trainOn(row);
  const { longest } = tasks;
  const measured = longest > 0 ? `the longest took ${Math.round(longest)} ms` : "none took 50 ms";
  responsive.textContent = `The network trained in a worker, and this page stayed free: of its own tasks ${measured}.`;
  responsive.dataset.longest = String(longest);
  button.disabled = false;
  choices.disabled = false;
}

function trainOn(row: RunRow): Promise<void> {
  const order: Order = { device: row.device, epochs: EPOCHS };
  worker.postMessage(order);
  return new Promise((resolve) => {
    const show = (news: News): void => {
      row.show(news);
      if (news.kind === "epoch") chart.addPoint(row.device, news.epoch, news.loss);
      if (news.kind === "finished") digits.replaceChildren(...news.examples.map(digitElement));
      if (news.kind === "finished" || news.kind === "failed") resolve();
    };
    worker.onmessage = ({ data }: MessageEvent<News>) => show(data);
    worker.onerror = (event) =>
      show({ kind: "failed", message: event.message || "the worker could not be loaded" });
  });
}

function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}
