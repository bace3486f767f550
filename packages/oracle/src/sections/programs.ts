import { backward, variable } from "@gradus/autograd";
import { type MaybePromise, mapTree, type Tensor } from "@gradus/core";
import { ones } from "@gradus/tensor";
import type { Check } from "../compare.js";
import { inputTensors } from "../inputs.js";
import type { Lab } from "../lab.js";
import type { ProgramCase } from "../schema/cases.js";
import { isGoldenTensor } from "../schema/values.js";
import { Untranslated } from "../unsupported.js";

type Leaves = Readonly<Record<string, Tensor>>;
type Program = (leaves: Leaves) => MaybePromise<Readonly<Record<string, Tensor | boolean>>>;

/** Programs by their PyTorch code. The leaves that it is given are variables. */
const programs: ReadonlyMap<string, Program> = new Map([
  // Gradients are values here and do not add up by themselves.
  program(["(x * 2).sum().backward()", "(x ** 2).sum().backward()", "out['x.grad'] = x.grad"], ({ x }) => ({
    "x.grad": gradOf(x.mul(2).sum(), x).add(gradOf(x.pow(2).sum(), x)),
  })),
  program(["y = x * x", "z = y + y * x", "z.sum().backward()", "out['x.grad'] = x.grad"], ({ x }) => {
    const y = x.mul(x);
    const z = y.add(y.mul(x));
    return { "x.grad": gradOf(z.sum(), x) };
  }),
  program(
    [
      "a = torch.sin(x)",
      "b = torch.cos(x)",
      "(a * b + a / (2 + b)).sum().backward()",
      "out['x.grad'] = x.grad",
    ],
    ({ x }) => {
      const [a, b] = [x.sin(), x.cos()];
      return {
        "x.grad": gradOf(
          a
            .mul(b)
            .add(a.div(b.add(2)))
            .sum(),
          x,
        ),
      };
    },
  ),
  program(
    ["y = (x ** 3).sum()", "y.backward(retain_graph=True)", "y.backward()", "out['x.grad'] = x.grad"],
    ({ x }) => {
      const y = x.pow(3).sum();
      return { "x.grad": gradOf(y, x).add(gradOf(y, x)) };
    },
  ),
  program(["y = x * 3", "z = (y.detach() * x).sum()", "z.backward()", "out['x.grad'] = x.grad"], ({ x }) => {
    const y = x.mul(3);
    return { "x.grad": gradOf(y.detach().mul(x).sum(), x) };
  }),
  program(
    [
      "with torch.no_grad():",
      "    y = x * 3",
      "out['y.requires_grad'] = y.requires_grad",
      "z = (y * x).sum()",
      "z.backward()",
      "out['x.grad'] = x.grad",
    ],
    ({ x }) => {
      const y = x.detach().mul(3);
      return { "y.requires_grad": y.history !== undefined, "x.grad": gradOf(y.mul(x).sum(), x) };
    },
  ),
  // Tensors are immutable here: what changes is which tensor y names.
  program(
    ["y = x * 2", "y.add_(x)", "y.mul_(3)", "y.sum().backward()", "out['x.grad'] = x.grad"],
    ({ x }) => {
      let y = x.mul(2);
      y = y.add(x);
      y = y.mul(3);
      return { "x.grad": gradOf(y.sum(), x) };
    },
  ),
  program(
    [
      "y = (x ** 3).sum()",
      "g, = torch.autograd.grad(y, x, create_graph=True)",
      "p = ((g.norm() - 1) ** 2)",
      "p.backward()",
      "out['penalty'] = p",
      "out['x.grad'] = x.grad",
    ],
    ({ x }) => {
      const y = x.pow(3).sum();
      const g = backward(y, x, { createGraph: true }).grads;
      const penalty = g.norm().sub(1).pow(2);
      return { penalty, "x.grad": gradOf(penalty, x) };
    },
  ),
  // Where PyTorch has no gradient, this library's is zero.
  program(
    [
      "w = torch.ones(2, dtype=x.dtype, requires_grad=True)",
      "g = torch.autograd.grad(x.sum(), [x, w], allow_unused=True)",
      "out['x'] = g[0]",
      "out['w is None'] = g[1] is None",
    ],
    async ({ x }) => {
      const w = variable(ones([2], { dtype: x.dtype }));
      const { grads } = backward(x.sum(), { x, w });
      return { x: grads.x, "w is None": (await grads.w.read()).every((value) => value === 0) };
    },
  ),
]);

function program(
  code: readonly string[],
  run: (leaves: { readonly x: Tensor }) => ReturnType<Program>,
): [string, Program] {
  return [code.join("\n"), ({ x }) => run({ x: x as Tensor })];
}

function gradOf(loss: Tensor, x: Tensor): Tensor {
  return backward(loss, x).grads;
}

export const programCount = programs.size;

/** A short program with graph semantics: what it stored in `out`. */
export async function programChecks({ code, inputs, out }: ProgramCase, lab: Lab): Promise<Check[]> {
  const run = programs.get(code.join("\n"));
  if (run === undefined) throw new Untranslated("program");
  const results = await run(mapTree(inputTensors(inputs, lab), variable));
  return Object.entries(out).map(([what, want]): Check => {
    const got = results[what];
    if (isGoldenTensor(want) && got !== undefined && typeof got !== "boolean") return { what, got, want };
    return { what, passed: got === want, expected: JSON.stringify(want), got: String(got) };
  });
}
