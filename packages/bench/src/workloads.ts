export interface Workload {
  /** How many floating-point operations it takes, where that is what counts. */
  readonly flops?: number;
  /** Runs once, in a process that has done nothing before. */
  readonly isFirst?: true;
}

/** What is measured, by name. */
export const workloads: Readonly<Record<string, Workload>> = {
  wasm_peak: {},
  wasm_peak_fused: {},
  matmul_256: { flops: 2 * 256 ** 3 },
  matmul_512: { flops: 2 * 512 ** 3 },
  matmul_1024: { flops: 2 * 1024 ** 3 },
  mul_add_1M: {},
  exp_1M: {},
  tanh_1M: {},
  sum_1M: {},
  softmax_128x1000: {},
  matmul_256_eager: { flops: 2 * 256 ** 3 },
  matmul_512_eager: { flops: 2 * 512 ** 3 },
  matmul_1024_eager: { flops: 2 * 1024 ** 3 },
  mul_add_1M_eager: {},
  exp_1M_eager: {},
  tanh_1M_eager: {},
  sum_1M_eager: {},
  softmax_128x1000_eager: {},
  add_4_eager: {},
  "mlp_784-128-10_b32": {},
  "mlp_784-128-10_b128": {},
  "mlp_784-512-512-10_b128": {},
  cnn_b32: {},
  adam_1000k: {},
  adam_60x: {},
  crossentropy_4096x1000: {},
  crossentropy_256x50000: {},
  lbfgs_digits: {},
  first_step: { isFirst: true },
};

export const mlps: Readonly<Record<string, { readonly sizes: readonly number[]; readonly rows: number }>> = {
  "mlp_784-128-10_b32": { sizes: [784, 128, 10], rows: 32 },
  "mlp_784-128-10_b128": { sizes: [784, 128, 10], rows: 128 },
  "mlp_784-512-512-10_b128": { sizes: [784, 512, 512, 10], rows: 128 },
};

/** Rows and classes of the losses that are measured with their gradient. */
export const crossEntropies: Readonly<Record<string, readonly [rows: number, classes: number]>> = {
  crossentropy_4096x1000: [4096, 1000],
  crossentropy_256x50000: [256, 50000],
};

/** How many tensors share a million parameters. */
export const ADAM_TENSORS = 60;

/** Iterations of L-BFGS from zeros, and how many past steps it keeps. */
export const LBFGS = { iterations: 20, history: 10 } as const;
