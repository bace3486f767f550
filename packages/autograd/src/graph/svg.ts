import type { GraphEdge, GraphNode } from "./graph.js";
import { costOf, typeOf, valueText } from "./label.js";
import { type Box, layersOf, layout } from "./layout.js";

export interface SVGOptions {
  /** A heading above the picture. */
  readonly title?: string;
}

const MARGIN = 28;
const HEADER = 40;
const PANEL_GAP = 120;
const ROW_GAP = 50;

const style = `
  .graph { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
  .title { font-size: 17px; font-weight: 650; fill: #1c2733; }
  .pass { font-size: 12px; font-weight: 650; letter-spacing: .08em; fill: #65758a; }
  .name { font-size: 14px; font-weight: 600; fill: #1c2733; text-anchor: middle; }
  .detail { font-size: 11px; fill: #65758a; text-anchor: middle; }
  .box { stroke-width: 1.4; }
  .input .box { fill: #e4f0ff; stroke: #4c8fdd; }
  .constant .box { fill: #f3f4f6; stroke: #b4bcc6; }
  .operation .box { fill: #ffffff; stroke: #8795a6; }
  .view .box { fill: #ffffff; stroke: #b4bcc6; stroke-dasharray: 4 3; }
  .output .box { fill: #e3f6e8; stroke: #3f9d5c; }
  .backward.operation .box { fill: #fff6ec; stroke: #d98a3d; }
  .backward.view .box { fill: #fff6ec; stroke: #e2b27e; }
  .backward.constant .box { fill: #fff6ec; stroke: #e2b27e; }
  .backward.output .box { fill: #fde8e4; stroke: #cf5a45; }
  .arrow { fill: none; stroke: #8795a6; stroke-width: 1.5; }
  .backward-arrow { stroke: #d98a3d; }
  .saved-arrow { stroke: #a9b7c7; stroke-dasharray: 5 4; stroke-width: 1.2; }
  .value { font-size: 11px; fill: #33414f; text-anchor: middle; }
  .plate { fill: #ffffff; }
  .saved-value { fill: #8391a1; }
`;

/**
 * The picture: the forward pass on the left, downwards; the backward pass on the right, upwards, beside what it
 * differentiates. Dashed lines are values of the forward pass that the backward pass uses again.
 */
export function toSVG(
  { nodes, edges }: { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] },
  options: SVGOptions = {},
): string {
  const withValues = edges.some((edge) => edge.value !== undefined);
  const boxes = nodes.map((node) => boxOf(node));
  const rows = rowsOf(nodes, edges);
  const lines = rowLines(rows, boxes);
  const centres = new Map<number, Point>();
  const routes = new Map<GraphEdge, readonly Point[]>();
  const top = MARGIN + (options.title === undefined ? 0 : 34) + HEADER;
  let left = MARGIN;
  const headings = (["forward", "backward"] as const).flatMap((phase) => {
    const own = nodes.filter((node) => node.phase === phase);
    if (own.length === 0) return [];
    const index = new Map(own.map((node, i) => [node.id, i]));
    const inside = edges.filter((edge) => index.has(edge.from) && index.has(edge.to));
    // The backward pass runs upwards.
    const layers = own.map((node) =>
      phase === "forward" ? rows[node.id] : lines.length - 1 - (rows[node.id] as number),
    );
    const found = layout(
      own.map((node) => boxes[node.id] as Box),
      inside.map((edge) => ({ from: index.get(edge.from) as number, to: index.get(edge.to) as number })),
      layers as number[],
    );
    const start = left;
    const at = ({ x, layer }: { x: number; layer: number }): Point => ({
      x: start + x,
      y: top + (lines[phase === "forward" ? layer : lines.length - 1 - layer] as number),
    });
    own.forEach((node, i) => {
      centres.set(node.id, at(found.places[i] as { x: number; layer: number }));
    });
    inside.forEach((edge, i) => {
      routes.set(edge, (found.routes[i] ?? []).map(at));
    });
    left += found.width + PANEL_GAP;
    return [
      `<text class="pass" x="${round(start)}" y="${round(top - 22)}">${phase === "forward" ? "FORWARD ↓" : "BACKWARD ↑"}</text>`,
    ];
  });
  const bottom = Math.max(
    top,
    ...nodes.map((node) => (centres.get(node.id) as Point).y + (boxes[node.id] as Box).height / 2),
  );
  const width = left - PANEL_GAP + MARGIN;
  const arrows: string[] = [];
  const labels: string[] = [];
  /** Whether another box of the backward pass stands to the left. */
  const isBehind = (node: GraphNode): boolean =>
    nodes.some(
      (other) =>
        other.phase === node.phase &&
        rows[other.id] === rows[node.id] &&
        (centres.get(other.id) as Point).x < (centres.get(node.id) as Point).x,
    );
  for (const edge of edges) {
    const crosses = routes.get(edge) === undefined;
    const points = routes.get(edge) ?? [centres.get(edge.from) as Point, centres.get(edge.to) as Point];
    const [from, to] = [nodes[edge.from] as GraphNode, nodes[edge.to] as GraphNode];
    const kind = crosses ? "saved" : from.phase === "backward" ? "backward" : "forward";
    const line = crosses
      ? sideways(points, boxes[from.id] as Box, boxes[to.id] as Box, isBehind(to))
      : upright(points, boxes[from.id] as Box, boxes[to.id] as Box);
    arrows.push(
      `<path class="arrow ${kind}-arrow" marker-end="url(#${kind})" d="${line.path}"><title>${escaped(`${from.name} to ${to.name}: ${typeOf(edge)}`)}</title></path>`,
    );
    if (withValues && edge.value !== undefined) {
      labels.push(drawValue(valueText(edge), line.label, crosses));
    }
  }
  const drawn = nodes.map((node) => drawNode(node, centres.get(node.id) as Point, boxes[node.id] as Box));
  const title =
    options.title === undefined
      ? []
      : [`<text class="title" x="${MARGIN}" y="${MARGIN + 14}">${escaped(options.title)}</text>`];
  const markers = [
    ["forward", "#8795a6"],
    ["backward", "#d98a3d"],
    ["saved", "#a9b7c7"],
  ].map(
    ([id, colour]) =>
      `<marker id="${id}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 1 L9 5 L0 9 z" fill="${colour}"/></marker>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="graph" width="${Math.ceil(width)}" height="${Math.ceil(bottom + MARGIN)}" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(bottom + MARGIN)}" role="img">`,
    `<title>${escaped(options.title ?? "Computational graph")}</title>`,
    `<style>${style}</style>`,
    `<defs>${markers.join("")}</defs>`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    ...title,
    ...headings,
    ...arrows,
    ...drawn,
    ...labels,
    "</svg>",
  ].join("\n");
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * The row of each node. Those of the backward pass stand beside what they differentiate, or above, where several come after
 * another.
 */
function rowsOf(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): number[] {
  const forward = nodes.filter((node) => node.phase === "forward");
  const index = new Map(forward.map((node, i) => [node.id, i]));
  const layers = layersOf(
    forward.length,
    edges.flatMap(({ from, to }) => {
      const arrow = { from: index.get(from), to: index.get(to) };
      return arrow.from === undefined || arrow.to === undefined ? [] : [{ from: arrow.from, to: arrow.to }];
    }),
  );
  const rows = new Array<number>(nodes.length).fill(0);
  forward.forEach((node, i) => {
    rows[node.id] = layers[i] as number;
  });
  const last = Math.max(0, ...layers);
  for (const node of nodes) {
    if (node.phase === "forward") continue;
    const sources = edges.filter(({ from, to }) => to === node.id && nodes[from]?.phase === "backward");
    const above = Math.min(last + 1, ...sources.map(({ from }) => rows[from] as number)) - 1;
    const input = nodes.find(({ kind, name }) => kind === "input" && node.name === `gradient of ${name}`);
    const beside = node.gradientOf ?? (node.kind === "output" ? input?.id : undefined);
    rows[node.id] = Math.min(above, beside === undefined ? above : (rows[beside] as number));
  }
  const first = Math.min(0, ...rows);
  return rows.map((row) => row - first);
}

/** The height of the middle of each row. */
function rowLines(rows: readonly number[], boxes: readonly Box[]): number[] {
  let y = 0;
  return Array.from({ length: Math.max(0, ...rows) + 1 }, (_, row) => {
    const height = Math.max(40, ...boxes.flatMap((box, i) => (rows[i] === row ? [box.height] : [])));
    y += height + ROW_GAP;
    return y - ROW_GAP - height / 2;
  });
}

function linesOf(node: GraphNode): string[] {
  return [
    typeOf(node),
    ...(node.kind === "input" || node.kind === "output" || node.kind === "constant" ? [] : [costOf(node)]),
  ].filter((line) => line !== "");
}

function boxOf(node: GraphNode): Box {
  const details = linesOf(node);
  const width = Math.max(54, node.name.length * 8.2 + 26, ...details.map((line) => line.length * 6.1 + 24));
  return { width, height: 26 + 15 * details.length + 6 };
}

function drawNode(node: GraphNode, { x, y }: Point, { width, height }: Box): string {
  const radius = node.kind === "input" || node.kind === "constant" ? height / 2.6 : 7;
  const details = linesOf(node).map(
    (line, i) =>
      `<text class="detail" x="${round(x)}" y="${round(y - height / 2 + 36 + 15 * i)}">${escaped(line)}</text>`,
  );
  return [
    `<g class="${node.phase} ${node.kind}">`,
    `<rect class="box" x="${round(x - width / 2)}" y="${round(y - height / 2)}" width="${round(width)}" height="${round(height)}" rx="${round(radius)}"/>`,
    `<text class="name" x="${round(x)}" y="${round(y - height / 2 + 20)}">${escaped(node.name)}</text>`,
    ...details,
    "</g>",
  ].join("");
}

function drawValue(text: string, { x, y }: Point, isSaved: boolean): string {
  const width = text.length * 6.3 + 8;
  return [
    `<rect class="plate" x="${round(x - width / 2)}" y="${round(y - 11)}" width="${round(width)}" height="15" rx="4"/>`,
    `<text class="value${isSaved ? " saved-value" : ""}" x="${round(x)}" y="${round(y)}">${escaped(text)}</text>`,
  ].join("");
}

interface Line {
  readonly path: string;
  readonly label: Point;
}

/** From below (or above) one box to above (or below) the next, through the places where the line passes layers. */
function upright(points: readonly Point[], from: Box, to: Box): Line {
  const [first, last] = [points[0] as Point, points.at(-1) as Point];
  const sign = last.y > first.y ? 1 : -1;
  const start = { x: first.x, y: first.y + (sign * from.height) / 2 };
  const end = { x: last.x, y: last.y - sign * (to.height / 2 + 2) };
  const stops = [start, ...points.slice(1, -1), end];
  let path = `M${point(start)}`;
  for (let i = 1; i < stops.length; i++) {
    const [a, b] = [stops[i - 1] as Point, stops[i] as Point];
    const middle = (a.y + b.y) / 2;
    path += ` C${point({ x: a.x, y: middle })} ${point({ x: b.x, y: middle })} ${point(b)}`;
  }
  const [a, b] = stops.slice(-2) as [Point, Point];
  return { path, label: { x: 0.4 * a.x + 0.6 * b.x, y: 0.4 * a.y + 0.6 * b.y + 4 } };
}

/** From the side of a box of the forward pass to the side of one of the backward pass, or to its foot if another is before it. */
function sideways([first, last]: readonly Point[], from: Box, to: Box, isBehind: boolean): Line {
  const [a, b] = [first as Point, last as Point];
  // Low at a tall box, so that the line passes below what stands beside it.
  const start = { x: a.x + from.width / 2, y: from.height > 50 ? a.y + from.height / 2 - 6 : a.y };
  if (isBehind) {
    const end = { x: b.x - to.width / 3, y: b.y + to.height / 2 + 2 };
    const low = end.y + 26;
    const turn = { x: end.x - 46, y: low };
    const path = `M${point(start)} C${point({ x: start.x + 70, y: start.y })} ${point({ x: turn.x - 120, y: low })} ${point(turn)} Q${point({ x: end.x, y: low })} ${point(end)}`;
    return { path, label: { x: end.x - 52, y: low - 5 } };
  }
  const end = { x: b.x - to.width / 2 - 2, y: b.y };
  const reach = Math.max(40, (end.x - start.x) / 2);
  const path = `M${point(start)} C${point({ x: start.x + reach, y: start.y })} ${point({ x: end.x - reach, y: end.y })} ${point(end)}`;
  return { path, label: { x: end.x - 24, y: end.y - 6 } };
}

function point({ x, y }: Point): string {
  return `${round(x)} ${round(y)}`;
}

function round(x: number): string {
  return String(Math.round(x * 10) / 10);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
