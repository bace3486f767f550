import { median } from "./measure.js";

/** The milliseconds of one library's runs of a workload, one for each round. */
export interface Measurement {
  readonly lib: string;
  readonly workload: string;
  readonly threads: number;
  readonly times: readonly number[];
  readonly flops?: number;
}

/** One line of `--json`. */
export function jsonLine({ lib, workload, threads, times, flops }: Measurement): string {
  const ms = median(times);
  const rate = flops === undefined ? {} : { gflops: Number((flops / ms / 1e6).toPrecision(4)) };
  return JSON.stringify({ lib, workload, threads, median_ms: Number(ms.toPrecision(4)), ...rate });
}

/** A table in Markdown: milliseconds, and in brackets how much faster `own` is. */
export function table(measurements: readonly Measurement[], ownLib = "gradus"): string {
  const libs = [...new Set(measurements.map(({ lib }) => lib))];
  const names = [...new Set(measurements.map(({ workload }) => workload))];
  const find = (workload: string, lib: string): Measurement | undefined =>
    measurements.find((one) => one.workload === workload && one.lib === lib);
  const rows = names.map((workload) => {
    const own = find(workload, ownLib);
    return [
      workload,
      ...libs.map((lib) => {
        const one = find(workload, lib);
        return one === undefined ? "-" : cell(one, lib === ownLib ? undefined : own);
      }),
    ];
  });
  const head = ["workload", ...libs];
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] as string).length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, i) => text.padEnd(widths[i] as number)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

function cell({ times, flops }: Measurement, own: Measurement | undefined): string {
  const ms = median(times);
  const rate = flops === undefined ? "" : `, ${(flops / ms / 1e6).toFixed(1)} GFLOP/s`;
  const ratio = own === undefined ? "" : ` (${(ms / median(own.times)).toPrecision(3)}x)`;
  return `${duration(ms)}${rate}${ratio}`;
}

function duration(ms: number): string {
  return ms < 0.01 ? `${(1000 * ms).toPrecision(3)} us` : `${ms.toPrecision(3)} ms`;
}
