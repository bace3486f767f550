import { expect, it } from "vitest";
import { fuzz } from "./fuzz/fuzz.fixture.js";

it("30,000 random programs: compiled equals eager, gradients too, and float64 agrees", () => {
  const { programs, compared } = fuzz(1_000_000, 30_000);
  console.log(`${programs} random programs, seeds from 1000000; ${compared} were compared with float64`);
  if (programs > 1) expect(compared / programs).toBeGreaterThan(0.3);
});
