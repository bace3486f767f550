import { grad } from "@gradus/autograd";
import { linspace, type Tensor } from "@gradus/tensor";

/** A loss along one of its inputs. */
export interface Picture {
  /** What is on the horizontal axis, and from where to where. */
  readonly x: readonly [label: string, from: number, to: number];
  /** Names of the curves with their unreduced losses, one for each x. */
  readonly curves: Readonly<Record<string, (x: Tensor) => Tensor>>;
  /** At how many places it is computed. Default 240: an even number, so that the middle is not one. */
  readonly points?: number;
}

const [WIDTH, HEIGHT] = [720, 270] as const;
/** Inside of a panel's frame. */
const [PANEL_WIDTH, PANEL_HEIGHT, TOP] = [290, 180, 34] as const;
const colors = ["#2563eb", "#dc2626", "#059669", "#d97706"] as const;
const dashes = ["", "7 3", "2 3", "9 3 2 3"] as const;

interface Series {
  readonly name: string;
  readonly values: ArrayLike<number>;
}

/** Value and gradient as an SVG, of the numbers that the library computes in float64. */
export function pictureOf(title: string, { x: [label, from, to], curves, points = 240 }: Picture): string {
  const x = linspace(from, to, points, { dtype: "f64" });
  const values: Series[] = [];
  const gradients: Series[] = [];
  for (const [name, loss] of Object.entries(curves)) {
    values.push({ name, values: loss(x).data() });
    gradients.push({ name, values: grad((some: Tensor) => loss(some).sum())(x).data() });
  }
  const legend = values.length < 2 ? [] : values.map(({ name }, i) => legendEntry(name, i, values.length));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...panel("value", 50, [from, to], values),
    ...panel("gradient", 410, [from, to], gradients),
    `<text x="${WIDTH / 2}" y="${TOP + PANEL_HEIGHT + 34}" text-anchor="middle" fill="#374151">${escaped(label)}</text>`,
    ...legend,
    "</svg>",
    "",
  ].join("\n");
}

function panel(
  title: string,
  left: number,
  [from, to]: readonly [number, number],
  series: readonly Series[],
): string[] {
  const finite = series.flatMap(({ values }) => Array.from(values)).filter(Number.isFinite);
  const [low, high] = rangeOf(finite);
  const px = (x: number): number => left + ((x - from) / (to - from)) * PANEL_WIDTH;
  const py = (y: number): number => TOP + ((high - y) / (high - low)) * PANEL_HEIGHT;
  const bottom = TOP + PANEL_HEIGHT;
  const parts = [
    `<text x="${left}" y="${TOP - 12}" font-weight="bold" fill="#111827">${title}</text>`,
    `<rect x="${left}" y="${TOP}" width="${PANEL_WIDTH}" height="${PANEL_HEIGHT}" fill="none" stroke="#9ca3af"/>`,
  ];
  for (const tick of ticksOf(from, to, 6)) {
    const at = round(px(tick));
    parts.push(
      `<path d="M${at} ${TOP}V${bottom}" stroke="${tick === 0 ? "#9ca3af" : "#e5e7eb"}"/>`,
      `<text x="${at}" y="${bottom + 16}" text-anchor="middle" fill="#374151">${format(tick)}</text>`,
    );
  }
  for (const tick of ticksOf(low, high, 5)) {
    const at = round(py(tick));
    parts.push(
      `<path d="M${left} ${at}H${left + PANEL_WIDTH}" stroke="${tick === 0 ? "#9ca3af" : "#e5e7eb"}"/>`,
      `<text x="${left - 6}" y="${at + 4}" text-anchor="end" fill="#374151">${format(tick)}</text>`,
    );
  }
  series.forEach(({ values }, i) => {
    parts.push(
      `<path d="${curve(values, (k) => px(from + ((to - from) * k) / (values.length - 1)), py)}" fill="none" ` +
        `stroke="${colors[i % colors.length]}" stroke-width="2"${dash(i)}/>`,
    );
  });
  return parts;
}

/** A line through the finite values; a vertical jump is left open. */
function curve(values: ArrayLike<number>, px: (k: number) => number, py: (y: number) => number): string {
  const steps: string[] = [];
  let open = false;
  for (let k = 0; k < values.length; k++) {
    const y = values[k] as number;
    if (!Number.isFinite(y)) {
      open = false;
      continue;
    }
    const jumps =
      open && Math.abs(py(y) - py(values[k - 1] as number)) > PANEL_HEIGHT / 8 && isJump(values, k);
    steps.push(`${open && !jumps ? "L" : "M"}${round(px(k))} ${round(py(y))}`);
    open = true;
  }
  return steps.join("");
}

/** Whether the step before `k` is much larger than its neighbours. */
function isJump(values: ArrayLike<number>, k: number): boolean {
  const step = (i: number): number => Math.abs((values[i] ?? Number.NaN) - (values[i - 1] ?? Number.NaN));
  const around = [step(k - 2), step(k + 2)].filter(Number.isFinite);
  return step(k) > 4 * Math.max(...around, 0);
}

function legendEntry(name: string, i: number, count: number): string {
  const left = 50 + (i * 640) / Math.max(count, 3);
  const y = HEIGHT - 8;
  return (
    `<path d="M${round(left)} ${y - 4}h26" stroke="${colors[i % colors.length]}" stroke-width="2"${dash(i)}/>` +
    `<text x="${round(left + 32)}" y="${y}" fill="#111827">${escaped(name)}</text>`
  );
}

function dash(i: number): string {
  const pattern = dashes[i % dashes.length];
  return pattern === "" ? "" : ` stroke-dasharray="${pattern}"`;
}

/** A little more than the values need. */
function rangeOf(values: readonly number[]): readonly [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = high === low ? 1 : 0.06 * (high - low);
  return [low - room, high + room];
}

/** About `count` round numbers from `low` to `high`. */
function ticksOf(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

function format(x: number): string {
  return String(Number(x.toPrecision(6))).replace("-", "−");
}

function round(x: number): number {
  return Math.round(x * 10) / 10 + 0;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
