import type { Tensor } from "@gradus/core";
import {
  celu,
  geluTanh,
  glu,
  hardshrink,
  hardsigmoid,
  hardswish,
  prelu,
  selu,
  softmin,
  softplus,
  softshrink,
  softsign,
  tanhshrink,
  threshold,
} from "@gradus/tensor";
import { unsupported } from "../unsupported.js";
import { type OpTable, unary, unaryWith } from "./op.js";

/** torch.nn.functional's activations. */
export const activations: OpTable = {
  relu: unary((x) => x.relu()),
  relu6: unary((x) => x.hardtanh(0, 6)),
  leaky_relu: unaryWith((x, options) => x.leakyRelu(options.number("negative_slope", 0.01))),
  elu: unaryWith((x, options) => x.elu(options.number("alpha", 1))),
  selu: unary((x) => selu(x)),
  celu: unaryWith((x, options) => celu(x, options.number("alpha", 1))),
  gelu: unaryWith((x, options) => {
    const approximate = options.string("approximate", "none");
    if (approximate === "none") return x.gelu();
    if (approximate !== "tanh") unsupported(`gelu with approximate ${approximate}`);
    return geluTanh(x);
  }),
  silu: unary((x) => x.silu()),
  mish: unary((x) => x.mish()),
  softplus: unaryWith((x, options) =>
    softplus(x, { beta: options.number("beta", 1), threshold: options.number("threshold", 20) }),
  ),
  softsign: unary((x) => softsign(x)),
  hardtanh: unaryWith((x, options) =>
    x.hardtanh(options.number("min_val", -1), options.number("max_val", 1)),
  ),
  hardsigmoid: unary((x) => hardsigmoid(x)),
  hardswish: unary((x) => hardswish(x)),
  logsigmoid: unary((x) => x.logSigmoid()),
  tanhshrink: unary((x) => tanhshrink(x)),
  softshrink: unaryWith((x, options) => softshrink(x, options.number("lambd", 0.5))),
  hardshrink: unaryWith((x, options) => hardshrink(x, options.number("lambd", 0.5))),
  threshold: unaryWith((x, options) => threshold(x, options.number("threshold"), options.number("value"))),
  glu: unaryWith((x, options) => glu(x, options.number("dim", -1))),
  prelu: ([x, weight]) => prelu(x as Tensor, weight as Tensor),
  softmax: unaryWith((x, options) => x.softmax(options.number("dim"))),
  softmin: unaryWith((x, options) => softmin(x, options.number("dim"))),
  log_softmax: unaryWith((x, options) => x.logSoftmax(options.number("dim"))),
};
