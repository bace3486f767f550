import { afterEach, expect } from "vitest";
import { currentTrace, scopeDepth, setDefaultDevice } from "../packages/tensor/src/index.js";

// After every test: what is global is as it was. A scope or trace that a test left open would swallow the tensors of
// the tests after it.
afterEach(() => {
  setDefaultDevice(undefined);
  expect(scopeDepth(), "scopes that this test left open").toBe(0);
  expect(currentTrace(), "the trace that this test left in progress").toBe(undefined);
});
