import type { GraphEdge, GraphNode } from "./graph.js";
import { costOf, typeOf, valueText } from "./label.js";

const shapes = {
  input: "ellipse",
  constant: "plaintext",
  operation: "box",
  view: "box",
  output: "doubleoctagon",
} as const;

/** For Graphviz: each pass is a cluster, what the backward pass uses of the forward pass is dashed. */
export function toDot({
  nodes,
  edges,
}: {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}): string {
  const passes = (["forward", "backward"] as const).flatMap((phase) => {
    const own = nodes.filter((node) => node.phase === phase);
    if (own.length === 0) return [];
    return [
      `  subgraph cluster_${phase} {`,
      `    label="${phase}"`,
      ...own.map((node) => {
        const lines = [node.name, typeOf(node), costOf(node)].filter((line) => line !== "");
        return `    n${node.id} [shape=${shapes[node.kind]}, label="${lines.map(escaped).join("\\n")}"]`;
      }),
      "  }",
    ];
  });
  const arrows = edges.map((edge) => {
    const crosses = nodes[edge.from]?.phase !== nodes[edge.to]?.phase;
    return `  n${edge.from} -> n${edge.to} [label="${escaped(valueText(edge))}"${crosses ? ", style=dashed, constraint=false" : ""}]`;
  });
  return ["digraph {", '  node [fontname="sans-serif"]', ...passes, ...arrows, "}"].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
}
