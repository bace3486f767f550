import { objective } from "@gradus/autograd";
import type { Rule } from "@gradus/core";
import { mapTree, scalar } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { expect, it } from "vitest";
import { contourPicture, noisyQuadratic, region, type Trajectory, trajectory } from "./index.js";

const descent: Rule = {
  name: "descent",
  init: () => ({ step: scalar(0), slots: {} }),
  update: (grads, state) => ({
    updates: mapTree(grads, (g) => g.mul(-0.5)),
    state: { ...state, step: state.step.map((t) => t + 1) },
  }),
};

it("follows a rule, point by point", async () => {
  const f = objective(noisyQuadratic().f);
  const way = await trajectory("descent", descent, f, tensor([4, -2], { dtype: "f64" }), 3);
  expect(way.points).toEqual([
    [4, -2],
    [2, -1],
    [1, -0.5],
    [0.5, -0.25],
  ]);
  expect(way.values).toEqual([10, 2.5, 0.625, 0.15625]);
  expect([way.gradients, way.reason]).toEqual([3, undefined]);
});

it("finds the border of a region: a circle, an annulus, the whole grid", () => {
  const grid = (f: (x: number, y: number) => number) => ({
    columns: 41,
    rows: 41,
    values: Float64Array.from({ length: 41 * 41 }, (_, i) => f((i % 41) - 20, Math.floor(i / 41) - 20)),
  });
  const circle = region(grid(Math.hypot), 10.5);
  expect(circle.length).toBe(1);
  for (const [c, r] of circle[0] ?? []) expect(Math.hypot(c - 20, r - 20)).toBeCloseTo(10.5, 1);
  const annulus = region(
    grid((x, y) => Math.abs(Math.hypot(x, y) - 12)),
    3.3,
  );
  expect(annulus.length).toBe(2);
  expect(
    region(
      grid(() => 0),
      1,
    ).map((ring) => ring.length),
  ).toEqual([164]);
  expect(
    region(
      grid(() => 0),
      -1,
    ),
  ).toEqual([]);
  // A saddle point of the grid, two corners in and two out: they are joined.
  expect(region({ columns: 2, rows: 2, values: [0, 1, 1, 0] }, 0.5).length).toBe(1);
});

it("draws ways over contours, with start, minima and a legend", () => {
  const challenge = noisyQuadratic();
  const way: Trajectory = {
    name: "a < b",
    points: [
      [3, -2],
      [0, 0],
    ],
    values: [6.5, 0],
    gradients: 7,
    reason: "converged",
  };
  const svg = contourPicture(
    challenge,
    (points) => challenge.f(tensor(points, { shape: [points.length / 2, 2] })).data(),
    [way],
    { title: "A & B" },
  );
  expect(svg.startsWith("<svg ")).toBe(true);
  for (const part of ["A &amp; B", "a &lt; b", "1 steps, 7 gradients, ends at 0", "<polyline", 'id="plot"']) {
    expect(svg).toContain(part);
  }
  expect(svg).not.toContain("NaN");
});
