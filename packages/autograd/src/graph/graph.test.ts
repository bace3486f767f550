import type { Tensor } from "@gradus/core";
import { compile, key, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { backward, grad, graph, variable, vmap } from "../index.js";

const p = {
  w: tensor([
    [1, 2],
    [3, 4],
  ]),
  b: tensor([1, 1]),
};
const x = tensor([1, 2]);
const loss = (q: typeof p, at: Tensor): Tensor => at.matmul(q.w).add(q.b).tanh().sum();
const names = (
  g: { nodes: readonly { name: string; phase: string; kind: string }[] },
  phase: string,
): string[] =>
  g.nodes.filter((node) => node.phase === phase && node.kind !== "view").map((node) => node.name);

describe("graph", () => {
  it("is data: what is computed of what, with shapes, operations and bytes", () => {
    const g = graph(loss, [p, x]);
    expect(names(g, "forward")).toEqual(["w", "b", "argument 1", "matmul", "add", "tanh", "sum", "result"]);
    const matmul = g.nodes.find((node) => node.name === "matmul");
    expect(matmul).toMatchObject({ kind: "operation", shape: [1, 2], dtype: "f32", flops: 8, bytes: 8 });
    const add = g.nodes.find((node) => node.name === "add");
    const into = g.edges.filter((edge) => edge.to === add?.id);
    expect(into.map((edge) => [edge.input, edge.shape, edge.value])).toEqual([
      [0, [2], undefined],
      [1, [2], undefined],
    ]);
    expect(g.nodes.map((node) => node.id)).toEqual(g.nodes.map((_, i) => i));
    expect(JSON.parse(JSON.stringify(g)).nodes).toHaveLength(g.nodes.length);
  });

  it("has the backward pass, each part beside what it differentiates, and values on request", () => {
    const g = graph(loss, [p, x], { backward: true, values: true });
    expect(names(g, "backward")).toEqual(
      expect.arrayContaining(["tanh gradient", "gradient of w", "gradient of b"]),
    );
    const tanh = g.nodes.find((node) => node.name === "tanh");
    expect(g.nodes.find((node) => node.name === "tanh gradient")?.gradientOf).toBe(tanh?.id);
    const out = g.nodes.find((node) => node.name === "gradient of b");
    const value = g.edges.find((edge) => edge.to === out?.id)?.value;
    expect(value).toEqual(grad(loss)(p, x).b.toArray());
    for (const node of g.nodes) {
      if (node.kind === "output") expect(g.edges.filter((edge) => edge.to === node.id)).toHaveLength(1);
    }
  });

  it("sees both passes of functions that differentiate themselves, compiled functions, and maps", () => {
    const step = compile((q: typeof p) => grad(loss)(q, x));
    expect(names(graph(step, [p]), "backward")).toContain("tanh gradient");
    const w = variable(tensor([1, 2]));
    expect(
      names(
        graph(() => backward(w.sin().sum(), { w })),
        "backward",
      ),
    ).toContain("sin gradient");
    const mapped = graph(
      vmap((y: Tensor) => y.exp()),
      [key(0).normal([4, 3])],
    );
    expect(mapped.nodes.find((node) => node.name === "exp")?.shape).toEqual([3]);
  });

  it("draws: SVG, Mermaid and DOT, each node and each edge once", () => {
    const g = graph(loss, [p, x], { backward: true, values: true });
    const svg = g.toSVG({ title: "a < b & c" });
    expect(svg.startsWith("<svg xmlns=")).toBe(true);
    expect(svg).toContain("a &lt; b &amp; c");
    expect(svg.match(/<g class="/g)).toHaveLength(g.nodes.length);
    expect(svg.match(/<path class="arrow/g)).toHaveLength(g.edges.length);
    expect(svg).not.toContain("NaN");
    const mermaid = g.toMermaid().split("\n");
    expect(mermaid[0]).toBe("flowchart TD");
    expect(mermaid.filter((line) => /--?>|-\.->/.test(line))).toHaveLength(g.edges.length);
    expect(g.toDot().match(/ -> /g)).toHaveLength(g.edges.length);
  });

  it("draws a graph of one node and a large one", () => {
    expect(graph((y: Tensor) => y, [x]).toSVG()).toContain("result");
    const deep = (y: Tensor): Tensor => {
      let z = y;
      for (let i = 0; i < 25; i++) z = z.mul(y).tanh().add(z);
      return z.sum();
    };
    expect(graph(deep, [x], { backward: true }).toSVG()).not.toContain("NaN");
  });

  it("refuses async functions", () => {
    expect(() => graph(async () => x)).toThrow(expect.objectContaining({ code: "async-scope" }));
  });
});
