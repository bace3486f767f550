/**
 * `n -> factor(0) factor(1) ... factor(n - 1)`. The last product is kept, so that the steps of a run cost one
 * multiplication each; `factor` must be pure.
 */
export function runningProduct(factor: (i: number) => number): (n: number) => number {
  let known = 0;
  let product = 1;
  return (n) => {
    if (n < known) [known, product] = [0, 1];
    for (; known < n; known++) product *= factor(known);
    return product;
  };
}
