import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { heteroscedastic, tobit } from "./index.js";

const f64 = (values: number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

// z and log Phi(z), by scipy.stats.norm.logcdf.
const tail: readonly (readonly [number, number])[] = [
  [3, -0.0013508099647481925],
  [0.5, -0.36894641528865635],
  [0, -Math.LN2],
  [-0.5, -1.1759117615936188],
  [-4, -10.360101486527292],
  [-9.9, -52.226428300404045],
  [-10.1, -54.24604754269364],
  [-30, -454.32124395634327],
  [-200, -20006.21728089819],
];

describe("tobit", () => {
  it.each(["f64", "f32"] as const)(
    "is minus the log-probability of everything beyond a bound, in %s",
    (dtype) => {
      // Of standard deviation 2, so that a mean of -2 z is z deviations below the bound 0.
      const means = (sign: number) =>
        tensor(
          tail.map(([z]) => [-2 * sign * z, Math.LN2]),
          { dtype },
        );
      const bound = tensor(
        tail.map(() => 0),
        { dtype },
      );
      const below = tobit(means(1), bound, { ...none, lower: 0 }).data();
      const above = tobit(means(-1), bound, { ...none, upper: 0 }).data();
      tail.forEach(([, want], i) => {
        const allowed = (dtype === "f64" ? 1e-7 : 2e-5) * Math.abs(want);
        expect(Math.abs((below[i] as number) + want)).toBeLessThanOrEqual(allowed);
        expect(Math.abs((above[i] as number) + want)).toBeLessThanOrEqual(allowed);
      });
    },
  );

  it("is the likelihood of a Gaussian between the bounds", () => {
    const [m, t] = [
      f64([
        [1, 0.3],
        [2, -0.2],
      ]),
      f64([0.5, 4]),
    ];
    const twice = f64([
      [1, 0.6],
      [2, -0.4],
    ]);
    const want = heteroscedastic(twice, t, { ...none, full: true }).data();
    tobit(m, t, { ...none, lower: 0, upper: 5 })
      .data()
      .forEach((loss, i) => {
        expect(loss).toBeCloseTo(want[i] as number, 12);
      });
  });

  it("names what does not fit", () => {
    expect(() => tobit(f64([[1, 2]]), f64([1]), { lower: 1, upper: 0 })).toThrow(
      "lower must be less than upper (0)",
    );
    expect(() => tobit(f64([1]), f64([1]))).toThrow(
      "expected [1, 2], with mean, log of the standard deviation",
    );
  });
});
