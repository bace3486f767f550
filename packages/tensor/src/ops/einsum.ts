import { fail, formatShape, type Tensor } from "@gradus/core";
import { asGradusTensor } from "../gradus-tensor.js";

/** A tensor and the label of each of its axes. */
interface Labelled {
  readonly x: Tensor;
  readonly labels: readonly string[];
}

/**
 * Einstein's sum: each letter of the equation names an axis; axes of one letter run together, and letters that the result
 * does not name are summed over. A letter that an operand repeats is its diagonal, `...` stands for axes that broadcast,
 * and without `->` the result has the letters that occur once, in alphabetical order. NumPy's and PyTorch's `einsum`.
 *
 * Operands are multiplied from the left to the right, each product a `matmul`.
 *
 * @throws `invalid-argument` for an equation that does not fit the operands, `shape-mismatch` for sizes of one letter
 * that differ.
 *
 * @example
 * ```ts
 * import { einsum, tensor } from "@gradus/tensor";
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(einsum("ij,ij->i", x, x)); // → Tensor f32[2] [5, 25]
 * console.log(einsum("ii->", x).item()); // → 5
 * ```
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  for (const x of operands) asGradusTensor("einsum", x);
  const [left, right] = equation.replaceAll(" ", "").split("->") as [string, string | undefined];
  const terms = left.split(",");
  if (
    !/^[A-Za-z.,]*(->[A-Za-z.]*)?$/.test(equation.replaceAll(" ", "")) ||
    terms.length !== operands.length
  ) {
    fail(
      "invalid-argument",
      `einsum: expected letters for each of ${operands.length} operands, such as "ij,jk->ik", got "${equation}"`,
    );
  }
  const given = operands.map((x, k) => ({ x, labels: labelsOf(equation, terms[k] as string, x.ndim) }));
  const wide = given.map(({ labels }) => labels.filter((label) => label.length > 1));
  const longest = wide.reduce((a, b) => (b.length > a.length ? b : a), []);
  const output = right === undefined ? implicit(terms, longest) : spelled(equation, right, longest);
  const known = new Set(given.flatMap(({ labels }) => labels));
  const strange = output.find((label, i) => !known.has(label) || output.indexOf(label) !== i);
  if (strange !== undefined)
    fail(
      "invalid-argument",
      `einsum: "${equation}": the result's "${strange}" must be in an operand, and once`,
    );

  const parts = sameSizes(equation, given.map(diagonal));
  const product = summed(
    parts.reduce((a, b, k) =>
      multiply(a, b, [...output, ...parts.slice(k + 1).flatMap(({ labels }) => labels)]),
    ),
    output,
  );
  return product.x.permute(output.map((label) => product.labels.indexOf(label)));
}

/** One label an axis. Those of an ellipsis are counted from the right, which aligns them for broadcasting. */
function labelsOf(equation: string, term: string, rank: number): string[] {
  const letters = term.replace("...", "");
  const more = rank - letters.length;
  const dots = term.length !== letters.length;
  if (letters.includes(".") || more < 0 || (more > 0 && !dots)) {
    fail(
      "invalid-argument",
      `einsum: "${equation}": "${term}" names ${letters.length} axes, the operand has ${rank}`,
    );
  }
  const unnamed = Array.from({ length: more }, (_, i) => `axis ${more - i}`);
  const at = dots ? term.indexOf("...") : 0;
  return [...letters.slice(0, at), ...unnamed, ...letters.slice(at)];
}

function implicit(terms: readonly string[], unnamed: readonly string[]): string[] {
  const letters = [...terms.join("").replaceAll(".", "")];
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  return [...unnamed, ...once.sort()];
}

function spelled(equation: string, right: string, unnamed: readonly string[]): string[] {
  return labelsOf(
    equation,
    right,
    right.replace("...", "").length + (right.includes("...") ? unnamed.length : 0),
  );
}

/** Repeated labels once: of each pair of axes the diagonal. */
function diagonal({ x, labels }: Labelled): Labelled {
  const second = labels.findIndex((label, i) => labels.indexOf(label) !== i);
  if (second < 0) return { x, labels };
  const label = labels[second] as string;
  const first = labels.indexOf(label);
  const size = x.shape[first] as number;
  if (x.shape[second] !== size) {
    fail(
      "shape-mismatch",
      `einsum: "${label}" is ${size} and ${x.shape[second]} in an operand of ${formatShape(x.shape)}`,
    );
  }
  const others = labels.map((_, axis) => axis).filter((axis) => axis !== first && axis !== second);
  const square = x.permute([...others, first, second]);
  const flat = square.reshape([...square.shape.slice(0, -2), size * size]);
  const rest = others.map((axis) => labels[axis] as string);
  return diagonal({
    x: flat.slice(...rest.map(() => null), [undefined, undefined, size + 1]),
    labels: [...rest, label],
  });
}

/** Operands in which axes of one label have one size: those of size 1 are repeated. */
function sameSizes(equation: string, parts: readonly Labelled[]): Labelled[] {
  const sizes = new Map<string, number>();
  for (const { x, labels } of parts) {
    labels.forEach((label, axis) => {
      const [known, size] = [sizes.get(label) ?? 1, x.shape[axis] as number];
      if (known !== 1 && size !== 1 && known !== size)
        fail(
          "shape-mismatch",
          `einsum: "${equation}": "${label}" is ${known} in one operand and ${size} in another`,
        );
      sizes.set(label, known === 1 ? size : known);
    });
  }
  return parts.map(({ x, labels }) => ({
    x: x.expand(labels.map((label) => sizes.get(label) as number)),
    labels,
  }));
}

/** Without the labels that nothing needs. */
function summed({ x, labels }: Labelled, needed: readonly string[]): Labelled {
  const axes = labels.flatMap((label, axis) => (needed.includes(label) ? [] : [axis]));
  if (axes.length === 0) return { x, labels };
  return { x: x.sum(axes), labels: labels.filter((label) => needed.includes(label)) };
}

/** The product, summed over the labels of both that are not needed later: one matmul. */
function multiply(left: Labelled, right: Labelled, later: readonly string[]): Labelled {
  const a = summed(left, [...later, ...right.labels]);
  const b = summed(right, [...later, ...left.labels]);
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => later.includes(label));
  const inner = shared.filter((label) => !later.includes(label));
  const rows = a.labels.filter((label) => !shared.includes(label));
  const columns = b.labels.filter((label) => !shared.includes(label));
  const sizesOf = ({ x, labels }: Labelled, list: readonly string[]): number[] =>
    list.map((label) => x.shape[labels.indexOf(label)] as number);
  const size = (sizes: readonly number[]): number => sizes.reduce((product, n) => product * n, 1);
  const ordered = (part: Labelled, groups: readonly (readonly string[])[]): Tensor =>
    part.x
      .permute(groups.flat().map((label) => part.labels.indexOf(label)))
      .reshape(groups.map((group) => size(sizesOf(part, group))));
  const product = ordered(a, [batch, rows, inner]).matmul(ordered(b, [batch, inner, columns]));
  return {
    x: product.reshape([...sizesOf(a, batch), ...sizesOf(a, rows), ...sizesOf(b, columns)]),
    labels: [...batch, ...rows, ...columns],
  };
}
