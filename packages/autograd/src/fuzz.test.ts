import { expect, it } from "vitest";
import { fuzz } from "./fuzz/fuzz.fixture.js";

it("2,000 random programs: compiled equals eager, gradients too, and float64 agrees", {
  timeout: 300_000,
}, () => {
  const { programs, compared } = fuzz(1, 2000);
  console.log(`${programs} random programs, seeds from 1; ${compared} were compared with float64`);
  // A generator of programs that are all NaN would pass.
  if (programs > 1) expect(compared / programs).toBeGreaterThan(0.3);
});

it.each(["f16 for f32", "f16 for f64"] as const)(
  "60 random programs, with %s: compiled equals eager, gradients too",
  (kind) => {
    fuzz(1, 60, kind);
  },
);
