import { objective } from "@gradus/autograd";
import { type MinimizeMethod, minimizeObjective } from "@gradus/optimizers";
import { tensor } from "@gradus/tensor";
import { beale, type Challenge, himmelblau, rosenbrock, styblinskiTang } from "@gradus/testbed";

const problems: readonly Challenge[] = [rosenbrock(), rosenbrock(10), beale, himmelblau, styblinskiTang(5)];

/**
 * Calls of f, gradient and Hessian until the value is within 1e-10 of the minimum; Rosenbrock 10-D: until the method stops.
 * SciPy 1.10 with its defaults, given exact gradients and Hessians. PyTorch 1.13, history 100, strong Wolfe, float64; its
 * defaults stop at 4e-10 on the first problem, so what it may change least is 1e-14 but for Rosenbrock 10-D.
 */
const peers = {
  "PyTorch LBFGS": ["44/44", "43/43", "15/15", "14/14", "7/7"],
  "SciPy BFGS": ["38/37", "113/113", "17/17", "16/16", "8/8"],
  "SciPy L-BFGS-B": ["44/43", "45/45", "16/16", "16/16", "8/8"],
  "SciPy CG": ["78/76", "63/63", "41/41", "22/22", "9/9"],
  "SciPy Newton-CG": ["106/105/84", "105/105/83", "15/15/14", "13/13/8", "6/6/5"],
  "SciPy trust-ncg": ["29/25/25", "48/43/43", "12/12/12", "10/9/9", "7/7/7"],
  "SciPy trust-exact": ["25/21/25", "23/21/23", "8/7/8", "8/7/8", "7/7/7"],
} as const;

const rows: readonly (readonly [method: MinimizeMethod, ...beside: (keyof typeof peers)[]])[] = [
  ["bfgs", "SciPy BFGS"],
  ["l-bfgs", "SciPy L-BFGS-B", "PyTorch LBFGS"],
  ["l-bfgs-b", "SciPy L-BFGS-B"],
  ["cg", "SciPy CG"],
  ["newton-cg", "SciPy Newton-CG"],
  ["trust-ncg", "SciPy trust-ncg"],
  ["trust-region", "SciPy trust-exact"],
  ["newton", "SciPy trust-exact"],
];

/** The table of docs/second-order.md: ours, SciPy's and PyTorch's, side by side. */
export async function evaluationsTable(): Promise<string> {
  const lines = [["method", ...problems.map(({ name }) => name)]];
  for (const [method, ...beside] of rows) {
    lines.push([
      `\`${method}\``,
      ...(await Promise.all(problems.map((problem) => callsOf(method, problem)))),
    ]);
    for (const peer of beside) lines.push([peer, ...peers[peer]]);
  }
  const widths = (lines[0] as string[]).map((_, k) =>
    Math.max(...lines.map((line) => (line[k] as string).length)),
  );
  const format = (line: readonly string[]): string =>
    `| ${line.map((cell, k) => cell.padEnd(widths[k] as number)).join(" | ")} |`;
  const [head, ...body] = lines as [string[], ...string[][]];
  return [format(head), format(widths.map((width) => "-".repeat(width))), ...body.map(format)].join("\n");
}

/** Calls until the value is within 1e-10 of the minimum, or until the method stops where that is what the peer's are. */
async function callsOf(method: MinimizeMethod, { name, f, start, least }: Challenge): Promise<string> {
  const calls = { f: 0, gradient: 0, products: 0 };
  let there: string | undefined;
  const size = start.length;
  const text = (): string => {
    const { f: values, gradient, products } = calls;
    if (products === 0) return `${values}/${gradient}`;
    // A whole Hessian is as many products as there are parameters.
    const whole = method === "newton" || method === "trust-region";
    return `${values}/${gradient}/${whole ? Math.ceil(products / size) : `${products}p`}`;
  };
  const own = objective(f);
  // After each iteration; the look at the Hessian comes after the last one.
  let last = text();
  await minimizeObjective(
    {
      value: own.value,
      valueAndGrad(x, batch) {
        const result = own.valueAndGrad(x, batch);
        calls.f++;
        calls.gradient++;
        if (result[0].item() <= least + 1e-10) there ??= text();
        return result;
      },
      hvp(x, v, batch) {
        calls.products++;
        return own.hvp(x, v, batch);
      },
    },
    tensor([...start], { dtype: "f64" }),
    {
      method,
      onStep: () => {
        last = text();
      },
    },
  );
  return name === "Rosenbrock 10-D" ? last : (there ?? last);
}
