import type { Tensor } from "@gradus/core";
import { unsupported } from "../unsupported.js";
import { axisOf, type OpTable, unary, unaryWith } from "./op.js";

/** torch.nn.functional's activations. */
export const activations: OpTable = {
  relu: unary((x) => x.relu()),
  relu6: unary((x) => x.hardtanh(0, 6)),
  leaky_relu: unaryWith((x, options) => x.leakyRelu(options.number("negative_slope", 0.01))),
  elu: unaryWith((x, options) => x.elu(options.number("alpha", 1))),
  selu: unary((x) => x.elu(1.6732632423543772).mul(1.0507009873554805)),
  celu: unaryWith((x, options) => x.div(options.number("alpha", 1)).elu(1).mul(options.number("alpha", 1))),
  gelu: unaryWith((x, options) => {
    const approximate = options.string("approximate", "none");
    if (approximate === "none") return x.gelu();
    if (approximate !== "tanh") unsupported(`gelu with approximate ${approximate}`);
    const inner = x.add(x.mul(x.square()).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
    return x.mul(0.5).mul(inner.tanh().add(1));
  }),
  silu: unary((x) => x.silu()),
  mish: unary((x) => x.mish()),
  softplus: unaryWith((x, options) => {
    const beta = options.number("beta", 1);
    const bent = x.mul(beta);
    return bent.gt(options.number("threshold", 20)).where(x, bent.softplus().div(beta));
  }),
  softsign: unary((x) => x.div(x.abs().add(1))),
  hardtanh: unaryWith((x, options) =>
    x.hardtanh(options.number("min_val", -1), options.number("max_val", 1)),
  ),
  hardsigmoid: unary((x) => x.add(3).hardtanh(0, 6).div(6)),
  hardswish: unary((x) => x.lt(-3).where(0, x.gt(3).where(x, x.mul(x.add(3)).div(6)))),
  logsigmoid: unary((x) => x.logSigmoid()),
  tanhshrink: unary((x) => x.sub(x.tanh())),
  softshrink: unaryWith((x, options) => {
    const bound = options.number("lambd", 0.5);
    return x.sub(x.clamp(-bound, bound));
  }),
  hardshrink: unaryWith((x, options) => x.abs().le(options.number("lambd", 0.5)).where(0, x)),
  threshold: unaryWith((x, options) => x.le(options.number("threshold")).where(options.number("value"), x)),
  glu: unaryWith((x, options) => {
    const axis = axisOf(x, options, "dim", -1);
    const half = (x.shape[axis] as number) / 2;
    const part = (start: number): Tensor =>
      x.slice(...x.shape.map((_, k) => (k === axis ? ([start, start + half] as const) : null)));
    return part(0).mul(part(half).sigmoid());
  }),
  prelu: ([x, weight]) => {
    const [input, slope] = [x as Tensor, weight as Tensor];
    return input.leakyRelu(
      slope.size === 1
        ? slope.reshape([])
        : slope.reshape(input.shape.map((_, axis) => (axis === 1 ? slope.size : 1))),
    );
  },
  softmax: unaryWith((x, options) => x.softmax(options.number("dim"))),
  log_softmax: unaryWith((x, options) => x.logSoftmax(options.number("dim"))),
};
