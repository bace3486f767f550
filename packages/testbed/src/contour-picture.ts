import type { Challenge } from "./challenge.js";
import { type Grid, region } from "./contours.js";
import type { Trajectory } from "./trajectory.js";

export interface ContourPictureOptions {
  /** Default: the challenge's name and what it tests. */
  readonly title?: string;
  /** Width of the plot in pixels. Default 640; its height follows from the view. */
  readonly width?: number;
  /** Default: the challenge's own. */
  readonly view?: Challenge["view"];
}

const COLORS = ["#c8102e", "#e07b00", "#00857c", "#6a3d9a", "#1f1f1f", "#b0307a", "#2f6f2f"];
const LEVELS = 16;
const GRID = 110;

/**
 * The ways of several optimizers over the contours of a function of two parameters, as an SVG picture. Bands of equal area
 * shade from high (light) to low; a ring marks the start, crosses the minima, a dot the end of each way.
 *
 * @param valuesAt the function at points `[count, 2]`, given as x, y, x, y, ...
 */
export function contourPicture(
  challenge: Challenge,
  valuesAt: (points: Float64Array) => ArrayLike<number>,
  ways: readonly Trajectory[],
  options: ContourPictureOptions = {},
): string {
  const { title = `${challenge.name}: ${challenge.about}`, width = 640, view = challenge.view } = options;
  const [[x0, x1], [y0, y1]] = view;
  const height = Math.round(Math.min(Math.max((width * (y1 - y0)) / (x1 - x0), width * 0.6), width));
  const [left, top] = [48, 44];
  const columns = GRID;
  const rows = Math.round((GRID * height) / width);
  const points = new Float64Array(2 * columns * rows);
  for (let i = 0; i < columns * rows; i++) {
    points[2 * i] = x0 + ((x1 - x0) * (i % columns)) / (columns - 1);
    points[2 * i + 1] = y0 + ((y1 - y0) * Math.floor(i / columns)) / (rows - 1);
  }
  const grid: Grid = { columns, rows, values: valuesAt(points) };
  const px = (x: number): number => left + (width * (x - x0)) / (x1 - x0);
  const py = (y: number): number => top + height - (height * (y - y0)) / (y1 - y0);

  const sorted = Float64Array.from(grid.values).sort();
  const levels = Array.from({ length: LEVELS }, (_, k) => {
    const share = ((LEVELS - k) / (LEVELS + 1)) ** 1.6;
    return sorted[Math.floor(share * (sorted.length - 1))] as number;
  });
  const bands = levels.map((level, k) => {
    const path = region(grid, level)
      .map((ring) => {
        const corners = ring.map(([c, r]) => {
          const x = left + (width * clamp(c, columns - 1)) / (columns - 1);
          const y = top + height - (height * clamp(r, rows - 1)) / (rows - 1);
          return `${x.toFixed(1)},${y.toFixed(1)}`;
        });
        return `M${corners.join("L")}Z`;
      })
      .join("");
    return `<path d="${path}" fill="${shade((k + 1) / LEVELS)}"/>`;
  });

  const lines = ways.map(({ points: steps }, k) => {
    const color = COLORS[k % COLORS.length];
    const at = steps.map(([x, y]) => [px(x as number), py(y as number)] as const);
    const path = at.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
    // Dots for steps that are far enough apart to be told from each other.
    let last: readonly [number, number] | undefined;
    const dots = at.slice(1).flatMap((dot) => {
      if (last !== undefined && Math.hypot(dot[0] - last[0], dot[1] - last[1]) < 7) return [];
      last = dot;
      return `<circle cx="${dot[0].toFixed(1)}" cy="${dot[1].toFixed(1)}" r="2.4"/>`;
    });
    const [ex, ey] = at.at(-1) as readonly [number, number];
    return (
      `<g fill="${color}" stroke="none"><polyline points="${path}" fill="none" stroke="#fff" stroke-opacity="0.75" stroke-width="4" stroke-linejoin="round"/>` +
      `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1.8" stroke-linejoin="round"/>${dots.join("")}` +
      `<circle cx="${ex.toFixed(1)}" cy="${ey.toFixed(1)}" r="5" stroke="#fff" stroke-width="1.5"/></g>`
    );
  });

  const crosses = challenge.minima.map(([x, y]) => {
    const [cx, cy] = [px(x as number), py(y as number)];
    const arms = `M${cx - 6},${cy - 6}L${cx + 6},${cy + 6}M${cx - 6},${cy + 6}L${cx + 6},${cy - 6}`;
    return `<path d="${arms}" stroke="#fff" stroke-width="5"/><path d="${arms}" stroke="#111" stroke-width="2"/>`;
  });
  const [sx, sy] = (ways[0]?.points[0] ?? challenge.start) as readonly [number, number];
  const start = `<circle cx="${px(sx).toFixed(1)}" cy="${py(sy).toFixed(1)}" r="6" fill="#fff" stroke="#111" stroke-width="2"/>`;

  const ticks = [
    ...ticksOf(x0, x1).map(
      (x) =>
        `<path d="M${px(x).toFixed(1)},${top + height}v5" stroke="#666"/><text x="${px(x).toFixed(1)}" y="${top + height + 19}" text-anchor="middle">${x}</text>`,
    ),
    ...ticksOf(y0, y1).map(
      (y) =>
        `<path d="M${left - 5},${py(y).toFixed(1)}h5" stroke="#666"/><text x="${left - 9}" y="${(py(y) + 4).toFixed(1)}" text-anchor="end">${y}</text>`,
    ),
  ];
  const legendTop = top + height + 46;
  const legend = ways.map((way, k) => {
    const [x, y] = [left, legendTop + k * 22];
    return (
      `<path d="M${x},${y - 4}h22" stroke="${COLORS[k % COLORS.length]}" stroke-width="3"/><circle cx="${x + 11}" cy="${y - 4}" r="3.4" fill="${COLORS[k % COLORS.length]}"/>` +
      `<text x="${x + 30}" y="${y}" font-weight="600">${escaped(way.name)}</text>` +
      `<text x="${x + 240}" y="${y}">${escaped(summary(way))}</text>`
    );
  });
  const totalHeight = legendTop + ways.length * 22;
  const totalWidth = left + width + 20;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${totalWidth}" height="${totalHeight}" viewBox="0 0 ${totalWidth} ${totalHeight}" font-family="system-ui, sans-serif" font-size="12" fill="#333">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${left}" y="26" font-size="16" font-weight="600" fill="#111">${escaped(title)}</text>`,
    `<clipPath id="plot"><rect x="${left}" y="${top}" width="${width}" height="${height}"/></clipPath>`,
    `<g clip-path="url(#plot)"><rect x="${left}" y="${top}" width="${width}" height="${height}" fill="${shade(0)}"/>`,
    `<g fill-rule="evenodd" stroke="#fff" stroke-opacity="0.55" stroke-width="0.7">${bands.join("")}</g>`,
    ...lines,
    `<g fill="none" stroke-linecap="round">${crosses.join("")}</g>${start}</g>`,
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" fill="none" stroke="#666"/>`,
    ...ticks,
    ...legend,
    "</svg>\n",
  ].join("\n");
}

/** `31 steps, 42 gradients, ends at 4.9e-15`. */
function summary({ points, values, gradients }: Trajectory): string {
  const value = values.at(-1) as number;
  const shown =
    value === 0 || (Math.abs(value) >= 0.01 && Math.abs(value) < 1000)
      ? Number(value.toFixed(2))
      : value.toExponential(0);
  return `${points.length - 1} steps, ${gradients} gradients, ends at ${shown}`;
}

/** From pale grey-blue (0, high) to deep blue (1, low). */
function shade(t: number): string {
  const stops = [
    [247, 249, 252],
    [198, 215, 233],
    [122, 166, 205],
    [58, 110, 165],
  ] as const;
  const at = t * (stops.length - 1);
  const k = Math.min(Math.floor(at), stops.length - 2);
  const [a, b] = [stops[k], stops[k + 1]] as unknown as [readonly number[], readonly number[]];
  const mixed = a.map((v, i) => Math.round(v + (at - k) * ((b[i] as number) - v)));
  return `#${mixed.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}

/** Round numbers in a range, about five. */
function ticksOf(low: number, high: number): number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((k) => k * power >= rough) as number) * power;
  const count = Math.floor(high / step) - Math.ceil(low / step) + 1;
  return Array.from({ length: count }, (_, k) => Number(((Math.ceil(low / step) + k) * step).toFixed(6)));
}

function clamp(v: number, high: number): number {
  return Math.min(Math.max(v, 0), high);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
