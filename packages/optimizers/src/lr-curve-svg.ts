import type { LrCurve } from "./lr-finder.js";

const [WIDTH, HEIGHT] = [640, 400];
const FRAME = { left: 64, right: 624, top: 40, bottom: 344 };

/** The picture of a range test: losses as dots, smoothed as a line, the suggestion marked. */
export function lrCurveSvg(curve: Omit<LrCurve, "toSVG">): string {
  const { rates, losses, smoothed, suggestion, minimum } = curve;
  const [low, high] = [Math.log10(rates[0] as number), Math.log10(rates.at(-1) as number)];
  const x = (rate: number): number =>
    FRAME.left + ((Math.log10(rate) - low) / (high - low || 1)) * (FRAME.right - FRAME.left);

  // What rises above the beginning by more than the fall is cut off: it would flatten all that matters.
  const [first, least] = [smoothed[0] as number, Math.min(...smoothed)];
  const ceiling = Math.min(Math.max(...smoothed), first + Math.max(first - least, Math.abs(least) * 0.1));
  const ticks = niceTicks(least - 0.05 * (ceiling - least), ceiling + 0.05 * (ceiling - least));
  const [bottom, top] = [ticks[0] as number, ticks.at(-1) as number];
  const y = (loss: number): number =>
    FRAME.bottom - ((loss - bottom) / (top - bottom || 1)) * (FRAME.bottom - FRAME.top);

  const dots = losses
    .map((loss, i) => [x(rates[i] as number), y(loss)] as const)
    .filter(([, at]) => at >= FRAME.top && at <= FRAME.bottom)
    .map(([cx, cy]) => `<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="1.6"/>`);
  const line = smoothed
    .map((loss, i) => `${x(rates[i] as number).toFixed(1)},${y(loss).toFixed(1)}`)
    .join(" ");
  const mark = (rate: number, color: string, label: string, row: number): string => {
    const at = x(rate);
    const anchor = at > (FRAME.left + FRAME.right) / 2 ? "end" : "start";
    return (
      `<line x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${FRAME.top}" y2="${FRAME.bottom}" stroke="${color}" stroke-dasharray="4 3"/>` +
      `<text x="${(at + (anchor === "end" ? -5 : 5)).toFixed(1)}" y="${FRAME.top + 14 + 16 * row}" fill="${color}" text-anchor="${anchor}" paint-order="stroke" stroke="#fff" stroke-width="4">${label}</text>`
    );
  };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${FRAME.left}" y="24" font-size="14" fill="#222">Loss while the learning rate rises</text>`,
    ...ticks.map(
      (tick) =>
        `<line x1="${FRAME.left}" x2="${FRAME.right}" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}" stroke="#e6e6e6"/>` +
        `<text x="${FRAME.left - 8}" y="${(y(tick) + 4).toFixed(1)}" fill="#555" text-anchor="end">${Number(tick.toPrecision(6))}</text>`,
    ),
    ...decades(low, high).map(
      (power) =>
        `<line x1="${x(10 ** power).toFixed(1)}" x2="${x(10 ** power).toFixed(1)}" y1="${FRAME.top}" y2="${FRAME.bottom}" stroke="#e6e6e6"/>` +
        `<text x="${x(10 ** power).toFixed(1)}" y="${FRAME.bottom + 18}" fill="#555" text-anchor="middle">1e${power}</text>`,
    ),
    `<text x="${(FRAME.left + FRAME.right) / 2}" y="${FRAME.bottom + 42}" fill="#555" text-anchor="middle">learning rate</text>`,
    `<clipPath id="frame"><rect x="${FRAME.left}" y="${FRAME.top}" width="${FRAME.right - FRAME.left}" height="${FRAME.bottom - FRAME.top}"/></clipPath>`,
    `<g clip-path="url(#frame)"><g fill="#9db4d8">${dots.join("")}</g>`,
    `<polyline points="${line}" fill="none" stroke="#1f5fbf" stroke-width="2" stroke-linejoin="round"/></g>`,
    ...(suggestion === undefined
      ? []
      : [mark(suggestion, "#b3541e", `falls fastest: ${short(suggestion)}`, 0)]),
    mark(minimum, "#777", `least: ${short(minimum)}`, 1),
    "</svg>",
  ].join("\n");
}

function short(rate: number): string {
  return String(Number(rate.toPrecision(2)));
}

/** The whole powers of ten from `low` to `high`, every second one or fewer where there are many. */
function decades(low: number, high: number): number[] {
  const stride = Math.max(1, Math.ceil((high - low) / 10));
  const first = Math.ceil(low - 1e-9);
  return Array.from({ length: Math.floor((high - first + 1e-9) / stride) + 1 }, (_, i) => first + i * stride);
}

/** About five round numbers that hold the range. */
function niceTicks(low: number, high: number): number[] {
  const rough = (high - low || Math.abs(high) || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: Math.max(1, last - first) + 1 }, (_, i) => (first + i) * step);
}
