/** A curve over the epochs 1, 2, ...: a line of dots, or a mark at each column. */
export interface Curve {
  readonly name: string;
  readonly values: readonly number[];
  readonly mark: "line" | "o";
}

/** The size of the plot, in characters. */
const WIDTH = 60;
const HEIGHT = 14;

/** Braille characters have 2 x 4 dots. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/**
 * Losses over epochs as text, on a logarithmic axis: losses fall by factors. NaN and what is not positive leaves a gap.
 */
export function lossChart(curves: readonly Curve[]): string {
  const epochs = Math.max(0, ...curves.map(({ values }) => values.length));
  const finite = curves.flatMap(({ values }) => values.filter((value) => value > 0 && value < Infinity));
  if (finite.length === 0) return "(no losses to draw)";
  const axis = verticalAxis(Math.min(...finite), Math.max(...finite));

  const columns = WIDTH * 2;
  const rows = HEIGHT * 4;
  const column = (epoch: number): number =>
    epochs === 1 ? 0 : Math.round((epoch / (epochs - 1)) * (columns - 1));
  const row = (value: number): number => Math.round(axis.position(value) * (rows - 1));
  const dots = Array.from({ length: HEIGHT }, () => new Array<number>(WIDTH).fill(0));
  const marks = Array.from({ length: HEIGHT }, () => new Array<string>(WIDTH).fill(""));

  for (const { values, mark } of curves) {
    values.forEach((value, i) => {
      if (!(value > 0 && value < Infinity)) return;
      const [x, y] = [column(i), row(value)];
      if (mark === "o") {
        (marks[y >> 2] as string[])[x >> 1] = "o";
        return;
      }
      const next = values[i + 1];
      const to = next !== undefined && next > 0 && next < Infinity ? [column(i + 1), row(next)] : [x, y];
      drawLine(dots, [x, y], to as [number, number]);
    });
  }

  const lines = dots.map((line, r) => {
    const cells = line.map(
      (bits, c) => marks[r]?.[c] || (bits === 0 ? " " : String.fromCharCode(0x2800 + bits)),
    );
    const tick = axis.ticks.find((value) => row(value) >> 2 === r);
    const label = tick === undefined ? "" : String(tick);
    return `${label.padStart(7)} ${tick === undefined ? "│" : "┤"}${cells.join("").trimEnd()}`;
  });
  const legend = curves.map(({ name, mark }) => `${mark === "line" ? "⠤⠤" : "o"} ${name}`).join("    ");
  return [`${" ".repeat(9)}${legend}`, ...lines, ...horizontalAxis(epochs, column)].join("\n");
}

/** Where a value is, from 0 at the top to 1 at the bottom, and the round numbers 1, 2, 5, 10, ... within. */
function verticalAxis(low: number, high: number) {
  const [bottom, top] = low === high ? [low / 2, high * 2] : [low, high];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(bottom)); power <= Math.ceil(Math.log10(top)); power++) {
    for (const digit of [1, 2, 5]) ticks.push(Number(`${digit}e${power}`));
  }
  return {
    position: (value: number) => Math.log(top / value) / Math.log(top / bottom),
    ticks: ticks.filter((value) => value >= bottom && value <= top),
  };
}

function horizontalAxis(epochs: number, column: (epoch: number) => number): string[] {
  const step =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((n) => epochs / n <= 8) ?? Math.ceil(epochs / 8);
  const line = new Array<string>(WIDTH).fill("─");
  const labels = new Array<string>(WIDTH + 6).fill(" ");
  for (let epoch = 1; epoch <= epochs; epoch++) {
    if (epoch !== 1 && epoch % step !== 0) continue;
    const at = column(epoch - 1) >> 1;
    line[at] = "┬";
    [...String(epoch)].forEach((digit, k) => {
      labels[at + k] = digit;
    });
  }
  return [`${" ".repeat(8)}└${line.join("")}`, `${" ".repeat(9)}${labels.join("").trimEnd()}  epoch`];
}

/** Sets the dots between two points (Bresenham). */
function drawLine(dots: number[][], [x0, y0]: [number, number], [x1, y1]: [number, number]): void {
  const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
  for (let i = 0; i <= steps; i++) {
    const x = Math.round(x0 + ((x1 - x0) * i) / steps);
    const y = Math.round(y0 + ((y1 - y0) * i) / steps);
    const line = dots[y >> 2] as number[];
    line[x >> 1] = (line[x >> 1] as number) | (DOTS[y & 3]?.[x & 1] as number);
  }
}
