import type { Workload } from "../workloads.js";

/** What is measured in browsers, by name. A first step includes what compiling it takes, on a page that has done nothing before. */
export const browserWorkloads: Readonly<Record<string, Workload>> = {
  "mlp_784-128-10_b128": {},
  cnn_b32: {},
  first_step_mlp: { isFirst: true },
  first_step_cnn: { isFirst: true },
};

/** The workloads, given a library's networks. */
export function workloadsOf(networks: {
  readonly mlp: (sizes: readonly number[], rows: number) => () => unknown;
  readonly cnn: () => () => unknown;
}): Readonly<Record<string, () => () => unknown>> {
  const mlp = () => networks.mlp([784, 128, 10], 128);
  return {
    "mlp_784-128-10_b128": mlp,
    cnn_b32: networks.cnn,
    first_step_mlp: () => () => mlp()(),
    first_step_cnn: () => () => networks.cnn()(),
  };
}
