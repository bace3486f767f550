const WIDTH = 640;
const HEIGHT = 260;
const MARGIN = { left: 40, right: 12, top: 12, bottom: 24 };
/** The losses at the ends of the axis, which is logarithmic. */
const [HIGH, LOW] = [3, 0.03];
const TICKS = [1, 0.3, 0.1, 0.03];

/** Curves of losses by epoch, drawn as they come. */
export class LossChart {
  private readonly curves = new Map<string, { readonly line: SVGPolylineElement; points: string }>();

  constructor(
    private readonly svg: SVGSVGElement,
    private readonly epochs: number,
  ) {}

  /** Takes all curves away. */
  clear(): void {
    this.curves.clear();
    this.svg.replaceChildren();
    for (const loss of TICKS) {
      this.add("line", {
        class: "axis",
        x1: MARGIN.left,
        x2: WIDTH - MARGIN.right,
        y1: yOf(loss),
        y2: yOf(loss),
      });
      this.add("text", { x: MARGIN.left - 8, y: yOf(loss) + 4, "text-anchor": "end" }).textContent =
        String(loss);
    }
    for (const epoch of [1, Math.round(this.epochs / 2), this.epochs]) {
      this.add("text", { x: this.xOf(epoch), y: HEIGHT - 6, "text-anchor": "middle" }).textContent =
        String(epoch);
    }
  }

  addPoint(name: string, epoch: number, loss: number): void {
    const curve = this.curves.get(name) ?? this.begin(name);
    curve.points += ` ${this.xOf(epoch).toFixed(1)},${yOf(loss).toFixed(1)}`;
    curve.line.setAttribute("points", curve.points);
  }

  private begin(name: string) {
    const line = this.add("polyline", {
      class: `curve ${name}`,
      style: "stroke: var(--tone)",
    }) as SVGPolylineElement;
    const curve = { line, points: "" };
    this.curves.set(name, curve);
    return curve;
  }

  private xOf(epoch: number): number {
    const share = (epoch - 1) / Math.max(1, this.epochs - 1);
    return MARGIN.left + share * (WIDTH - MARGIN.left - MARGIN.right);
  }

  private add(tag: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
    this.svg.append(element);
    return element;
  }
}

function yOf(loss: number): number {
  const bounded = Math.min(HIGH, Math.max(LOW, loss));
  const share = Math.log(HIGH / bounded) / Math.log(HIGH / LOW);
  return MARGIN.top + share * (HEIGHT - MARGIN.top - MARGIN.bottom);
}
