import type { GraphEdge, GraphNode } from "./graph.js";
import { costOf, typeOf, valueText } from "./label.js";

const brackets = {
  input: ["([", "])"],
  constant: ["(", ")"],
  operation: ["[", "]"],
  view: ["[", "]"],
  output: ["[[", "]]"],
} as const;

/** For Markdown: each pass is a subgraph, what the backward pass uses of the forward pass is dotted. */
export function toMermaid({
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
      `  subgraph ${phase}`,
      ...own.map((node) => {
        const [open, close] = brackets[node.kind];
        const lines = [node.name, typeOf(node), costOf(node)].filter((line) => line !== "");
        return `    n${node.id}${open}"${lines.map(escaped).join("<br>")}"${close}`;
      }),
      "  end",
    ];
  });
  const arrows = edges.map((edge) => {
    const arrow = nodes[edge.from]?.phase === nodes[edge.to]?.phase ? "-->" : "-.->";
    return `  n${edge.from} ${arrow}|"${escaped(valueText(edge))}"| n${edge.to}`;
  });
  return ["flowchart TD", ...passes, ...arrows].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
