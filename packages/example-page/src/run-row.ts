import type { DeviceName, News } from "./messages.js";

const titles: Readonly<Record<DeviceName, string>> = { cpu: "Processor", webgpu: "WebGPU", webgl: "WebGL2" };

/** One training, as a line: how far it is, and what came out. */
export class RunRow {
  readonly element = document.createElement("div");
  private readonly progress = document.createElement("progress");
  private readonly output = document.createElement("output");

  constructor(readonly device: DeviceName) {
    const title = document.createElement("strong");
    title.textContent = titles[device];
    this.element.className = `run ${device}`;
    this.element.dataset.device = device;
    this.progress.max = 1;
    this.progress.value = 0;
    this.output.textContent = "waiting";
    this.element.append(title, this.progress, this.output);
  }

  show(news: News): void {
    switch (news.kind) {
      case "progress":
        this.progress.value = news.done / news.total;
        this.output.textContent = `step ${news.done} of ${news.total}`;
        break;
      case "finished": {
        const percent = ((100 * news.right) / news.rows).toFixed(1);
        this.progress.value = 1;
        this.element.classList.add("is-done");
        this.element.dataset.right = String(news.right);
        this.output.textContent = `${percent} % right, ${news.seconds.toFixed(1)} s`;
        break;
      }
      case "failed":
        this.element.classList.add("is-failed");
        this.output.textContent = news.message;
        break;
      case "epoch":
        break;
      default:
        news satisfies never;
    }
  }
}
