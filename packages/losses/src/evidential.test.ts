import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { evidence, evidential } from "./index.js";

const outputs = [
  [1, 0, 0, 0],
  [2, 0.5, -1, 1],
  [-3, 4, 9, -6],
  [0.2, -9, 20, 3],
];
const targets = [1.5, 2, 7, -50];
// Minus the logarithm of the density of Student's t with 2 alpha degrees of freedom, location gamma and scale
// sqrt(beta (1 + nu) / (nu alpha)), by scipy.stats.t.
const wanted = [1.1479993735499134, 1.3652989272595577, 98.64820470968809, 5.5294627179033835];
const softplus = (x: number) => Math.log1p(Math.exp(x));

describe("evidential", () => {
  it.each([
    ["f64", 12],
    ["f32", 4],
  ] as const)("is the negative log-likelihood of Student's t, in %s", (dtype, digits) => {
    const call = evidential(tensor(outputs, { dtype }), tensor(targets, { dtype }), {
      lambda: 0,
      reduction: "none",
    });
    wanted.forEach((want, i) => {
      expect(call.data()[i]).toBeCloseTo(want, digits);
    });
  });

  it("adds lambda times the error times the evidence", () => {
    const losses = evidential(tensor(outputs, { dtype: "f64" }), tensor(targets, { dtype: "f64" }), {
      lambda: 0.3,
      reduction: "none",
    }).data();
    outputs.forEach(([gamma, nu, alpha], i) => {
      const confidence = 2 * softplus(nu as number) + 1 + softplus(alpha as number);
      const error = Math.abs((targets[i] as number) - (gamma as number));
      expect(losses[i]).toBeCloseTo((wanted[i] as number) + 0.3 * error * confidence, 12);
    });
  });

  it("names what does not fit", () => {
    expect(() => evidential(tensor([[1, 2]]), tensor([1]))).toThrow("expected [1, 4], with gamma, nu, alpha");
    expect(() => evidential(tensor(outputs), tensor(targets), { lambda: -1 })).toThrow(
      "lambda must be at least 0",
    );
  });
});

describe("evidence", () => {
  it("is the mean and both variances of the normal-inverse-gamma distribution", () => {
    const { mean, aleatoricVariance, epistemicVariance } = evidence(tensor(outputs, { dtype: "f64" }));
    outputs.forEach(([gamma, nu, alpha, beta], i) => {
      const aleatoric = softplus(beta as number) / softplus(alpha as number);
      expect(mean.data()[i]).toBe(gamma);
      expect(aleatoricVariance.data()[i]).toBeCloseTo(aleatoric, 12);
      expect((epistemicVariance.data()[i] as number) * softplus(nu as number)).toBeCloseTo(aleatoric, 12);
    });
  });

  it("needs four outputs", () => {
    expect(() => evidence(tensor([1, 2]))).toThrow(
      "predictions must be [..., 4] with gamma, nu, alpha, beta, got [2]",
    );
  });
});
