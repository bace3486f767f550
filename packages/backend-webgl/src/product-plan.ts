import { axesOfContract, type ContractAxes, type ContractKernel } from "@gradus/core";
import { BLOCK } from "./emit/part-text.js";
import { isBatched } from "./is-batched.js";

/** How a product is computed on a card. */
export interface ProductPlan {
  readonly axes: ContractAxes;
  readonly steps: readonly ProductStep[];
  /** What the writes need to find an element of the product. */
  readonly numbers: Numbers;
}

export type Numbers = ReadonlyMap<string, number>;

export interface ProductStep {
  readonly kind: "packA" | "packB" | "multiply" | "join" | "joinFirst" | "joinNext";
  /** The size of what it computes. */
  readonly output: readonly number[];
  readonly numbers: Numbers;
}

export interface Limits {
  /** The most rows and columns of a texture. */
  readonly maxSide: number;
  /** The most texels of a packed operand, or of what is multiplied at a time. */
  readonly maxPacked: number;
}

/** Where there are fewer fragments than this, k is cut. */
const FEW = 4096;
/** Fours in a line at the most. */
const LONG = 1024;
/** Each section looks at all of the product. */
const MAX_SECTIONS = 64;

/** The plan of a product at some sizes; undefined where packing its operands does not pay, or makes textures that are too large. */
export function productPlan(
  kernel: ContractKernel,
  sizes: readonly number[],
  { maxSide, maxPacked }: Limits,
): ProductPlan | undefined {
  const axes = axesOfContract(kernel);
  const count = (list: readonly number[]): number => list.reduce((n, axis) => n * (sizes[axis] as number), 1);
  const [batch, m, n, k] = [count(axes.batch), count(axes.m), count(axes.n), count(axes.k)];
  const batchA = isBatched(kernel.a, axes) ? batch : 1;
  const batchB = isBatched(kernel.b, axes) ? batch : 1;
  // To pack a number costs about as much as to use it twice without.
  if (k < 4 || batch * m * n < 2 * (batchA * m + batchB * n)) return undefined;
  const [blocksM, blocksN] = [Math.ceil(m / BLOCK), Math.ceil(n / BLOCK)];
  const blocks = batch * blocksM * blocksN;
  const long = Math.ceil(k / 4);
  const wanted = Math.max(
    Math.ceil(long / LONG),
    Math.min(Math.ceil(Math.sqrt(long)), Math.ceil(FEW / blocks)),
  );
  const fours = Math.ceil(long / wanted);
  const chunks = Math.ceil(long / fours);

  // What is too large is multiplied in sections of its rows and columns.
  const most = Math.floor(maxPacked / (BLOCK * chunks * fours));
  const partsM = Math.ceil((batchA * blocksM) / most);
  const partsN = Math.ceil((batchB * blocksN) / most);
  if (most === 0 || partsM * partsN > (batch > 1 ? 1 : MAX_SECTIONS)) return undefined;
  const [sideM, sideN] = [Math.ceil(blocksM / partsM), Math.ceil(blocksN / partsN)];
  if (batch * sideM * sideN * chunks > maxPacked) return undefined;

  const common = { k, chunks, fours, allM: blocksM, allN: blocksN };
  const steps: ProductStep[] = [];
  let fits = true;
  const pack = (kind: "packA" | "packB", rows: number, first: number): number => {
    const output = textureOf(rows * chunks, fours);
    fits &&= output.every((side) => side <= maxSide);
    steps.push({ kind, output, numbers: numbered({ ...common, first, height: output[1] }) });
    return output[1];
  };
  let heightB = 0;
  for (let firstM = 0; firstM < blocksM; firstM += sideM) {
    const [rowsA, sectionM] = [
      Math.min(m, (firstM + sideM) * BLOCK) - firstM * BLOCK,
      Math.min(sideM, blocksM - firstM),
    ];
    const heightA = pack("packA", batchA * rowsA, firstM * BLOCK);
    for (let firstN = 0; firstN < blocksN; firstN += sideN) {
      const [rowsB, sectionN] = [
        Math.min(n, (firstN + sideN) * BLOCK) - firstN * BLOCK,
        Math.min(sideN, blocksN - firstN),
      ];
      if (firstM === 0 || partsN > 1) heightB = pack("packB", batchB * rowsB, firstN * BLOCK);
      const numbers = numbered({
        ...common,
        ...{ blocksM: sectionM, blocksN: sectionN, firstM, firstN, heightA, heightB },
        batchA: batchA > 1 ? m : 0,
        batchB: batchB > 1 ? n : 0,
      });
      const isFirst = firstM === 0 && firstN === 0;
      const kind = partsM * partsN === 1 ? "join" : isFirst ? "joinFirst" : "joinNext";
      steps.push({ kind: "multiply", output: [batch * sectionM * sectionN * chunks], numbers });
      steps.push({ kind, output: [blocks * BLOCK], numbers });
    }
  }
  return fits ? { axes, steps, numbers: numbered(common) } : undefined;
}

function numbered(numbers: Readonly<Record<string, number>>): Numbers {
  return new Map(Object.entries(numbers));
}

/** Lines side by side, so that the texture is about as wide as it is high. gpu.js takes one that is higher than 1 as it is. */
function textureOf(lines: number, fours: number): readonly [width: number, height: number] {
  const fold = Math.max(1, Math.round(Math.sqrt(lines / fours)));
  return [fours * fold, Math.max(2, Math.ceil(lines / fold))];
}
