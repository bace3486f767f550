import { accuracy, crossEntropy } from "@gradus/losses";
import { linear } from "@gradus/nn";
import { adam } from "@gradus/optimizers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { blobs } from "./blobs.fixture.js";
import { type FitOptions, fit, type ProgressStream, progress } from "./index.js";

const train = blobs(40);
const options: FitOptions = {
  loss: crossEntropy,
  optimizer: adam({ lr: 0.05 }),
  train,
  validation: train,
  epochs: 3,
  metrics: { accuracy },
};

class Recorder implements ProgressStream {
  text = "";
  constructor(
    readonly isTTY: boolean,
    readonly columns = 100,
  ) {}
  write(text: string): void {
    this.text += text;
  }
}

async function shown(stream: Recorder, more: Partial<FitOptions> = {}): Promise<string> {
  await fit(linear(2, 3), {
    ...options,
    ...more,
    callbacks: [progress({ stream }), ...(more.callbacks ?? [])],
  });
  return stream.text;
}

afterEach(() => vi.unstubAllGlobals());

describe("progress", () => {
  it("writes one plain line an epoch where there is no terminal", async () => {
    const lines = (await shown(new Recorder(false))).split("\n");
    expect(lines.pop()).toBe("");
    expect(lines.length).toBe(3);
    const number = String.raw`\d+\.\d{4}`;
    lines.forEach((line, i) => {
      const scores = `loss ${number}  accuracy ${number}  validation loss ${number}  validation accuracy ${number}`;
      expect(line).toMatch(new RegExp(`^epoch ${i + 1}/3  ${scores}$`));
    });
  });

  it("writes about a hundred plain lines of a long training, the last epoch among them", async () => {
    const lines = (await shown(new Recorder(false), { epochs: 250 })).trimEnd().split("\n");
    expect(lines.length).toBe(84);
    expect(lines[0]).toMatch(/^epoch 3\/250 /);
    expect(lines.at(-1)).toMatch(/^epoch 250\/250 /);
  });

  it("draws one line over and over on a terminal, and ends it", async () => {
    const text = await shown(new Recorder(true, 60));
    const drawings = text.split("\r\x1b[2K");
    expect(drawings.shift()).toBe("");
    expect(drawings.length).toBeGreaterThan(1);
    expect(drawings[0]).toMatch(/^epoch \d\/3 {2} *\d+ % {2}\d+\.\d s left {2}[━─]{8,24} {2}loss \d\.\d{4}/);
    expect(drawings.at(-1)).toMatch(/^epoch 3\/3 {2}\d+\.\d s {2}loss .*\n$/);
    for (const drawing of drawings.slice(0, -1)) {
      expect(drawing).not.toContain("\n");
      expect(drawing.length).toBeLessThan(60);
      expect(drawing).toMatch(/(left|\d{4}|[━─])$/);
    }
  });

  it("says how a training ended that was not finished", async () => {
    const stop = { name: "stop", onEpochEnd: ({ stop }: { stop: () => void }) => stop() };
    expect(await shown(new Recorder(false), { callbacks: [stop] })).toContain(
      "stopped early after 1 of 3 epochs\n",
    );
    expect(await shown(new Recorder(true), { signal: AbortSignal.abort() })).toMatch(
      /epoch 0\/3 {2}aborted .*\n$/,
    );
  });

  it("is shown by default where there is a process.stderr, once, and not with progress: false", async () => {
    const stderr = new Recorder(false);
    vi.stubGlobal("process", { ...process, stderr });
    await fit(linear(2, 3), { ...options, progress: false });
    expect(stderr.text).toBe("");
    await fit(linear(2, 3), options);
    await fit(linear(2, 3), { ...options, callbacks: [progress({ stream: new Recorder(false) })] });
    expect(stderr.text.split("\n").length - 1).toBe(3);
  });
});
