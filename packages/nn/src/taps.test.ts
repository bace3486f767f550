import { grad, modelObjective } from "@gradus/autograd";
import { type Key, type Layer, mapTree, type Tensor } from "@gradus/core";
import { key, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { conv1d, conv2d, flatten, linear, relu, sequential, tanh } from "./index.js";

const f64 = <T>(tree: T): T => mapTree(tree, (x) => x.cast("f64"));
const square = (y: Tensor, { t }: { t: Tensor }) =>
  y
    .sub(t)
    .square()
    .sum()
    .div(y.shape[0] as number);

interface Params {
  readonly weight: Tensor;
  readonly bias?: Tensor;
}

/** The tap of a layer alone, on data of these shapes, and the gradient beside it. */
function tapOf(layer: Layer<Params, unknown>, k: Key, inputs: readonly number[], outputs: readonly number[]) {
  const { params: drawn, state } = layer.init(k) as { params: Params; state: unknown };
  const params = f64(drawn);
  const batch = f64({ x: k.foldIn(7).normal([...inputs]), t: k.foldIn(8).normal([...outputs]) });
  const f = modelObjective({
    outputs: (p: Params, { x }: typeof batch, tap) => layer.apply(p, state, x, { train: true, tap })[0],
    loss: square,
  });
  const [tap] = f.layerTaps(params, batch);
  return { tap, params, gradient: f.valueAndGrad(params, batch)[1] };
}

describe("a layer's tap", () => {
  it.each<[string, Layer<Params, unknown>, number[], number[]]>([
    ["linear", linear(3, 2), [5, 3], [5, 2]],
    ["linear over two axes", linear(3, 2), [5, 4, 3], [5, 4, 2]],
    ["linear without bias", linear(3, 2, { bias: false }) as Layer<Params, unknown>, [5, 3], [5, 2]],
    ["conv1d", conv1d(2, 3, 3, { padding: 1 }), [4, 2, 7], [4, 3, 7]],
    ["conv2d", conv2d(2, 3, [2, 3], { stride: [1, 2], padding: [1, 0] }), [4, 2, 5, 6], [4, 3, 6, 2]],
    ["a dilated conv2d", conv2d(2, 3, 3, { dilation: 2, padding: "same" }), [4, 2, 5, 6], [4, 3, 5, 6]],
  ])("holds what the gradient is made of: %s", (_, layer, inputs, outputs) => {
    const { tap, params, gradient } = tapOf(layer as Layer<Params, unknown>, key(3), inputs, outputs);
    if (tap === undefined) throw new Error("the layer reported nothing");
    expect([tap.weight, tap.bias, tap.layout, tap.examples]).toEqual([
      ["weight"],
      params.bias && ["bias"],
      "out-in",
      inputs[0],
    ]);
    const own = tap.cotangent.transpose().matmul(tap.input).div(tap.examples);
    expect(own.reshape(params.weight.shape).sub(gradient.weight).abs().max().item()).toBeLessThan(1e-12);
    if (params.bias === undefined) return;
    const sums = tap.cotangent.sum(0).div(tap.examples);
    expect(
      sums
        .sub(gradient.bias as Tensor)
        .abs()
        .max()
        .item(),
    ).toBeLessThan(1e-12);
  });

  it("is not there for several groups, and one for each layer of a model", () => {
    expect(tapOf(conv2d(2, 4, 3, { groups: 2 }), key(0), [1, 2, 4, 4], [1, 4, 2, 2]).tap).toBe(undefined);
    const model = sequential(conv2d(1, 2, 3), relu(), flatten(), linear(8, 3), tanh(), linear(3, 2));
    const { params, state } = model.init(key(0));
    const f = modelObjective({
      outputs: (p: typeof params, { x }: { x: Tensor; t: Tensor }, tap) =>
        model.apply(p, state, x, { train: true, tap })[0],
      loss: square,
    });
    const batch = { x: key(1).normal([3, 1, 4, 4]), t: key(2).normal([3, 2]) };
    const taps = f.layerTaps(params, batch);
    expect(taps.map(({ weight }) => weight.join("."))).toEqual(["0.weight", "3.weight", "5.weight"]);
    expect(taps.map(({ input, cotangent }) => [input.shape, cotangent.shape])).toEqual([
      [
        [12, 9],
        [12, 2],
      ],
      [
        [3, 8],
        [3, 3],
      ],
      [
        [3, 3],
        [3, 2],
      ],
    ]);
  });
});

describe("modelObjective", () => {
  const model = linear(3, 4);
  const { params, state } = f64(model.init(key(0)));
  const y = tensor([0, 1, 2, 3, 0], { dtype: "i32" });
  const batch = { x: key(1).normal([5, 3]).cast("f64"), y };
  const crossEntropy = (logits: Tensor, target: { y: Tensor }) =>
    logits
      .logSoftmax(-1)
      .mul(target.y.oneHot(4).cast("f64"))
      .sum()
      .div(-(logits.shape[0] as number));
  const of = (predicts: "classes" | "empirical" | "bernoulli" | "normal") =>
    modelObjective({
      outputs: (p: typeof params, { x }: typeof batch, tap) =>
        model.apply(p, state, x, { train: true, tap })[0],
      loss: crossEntropy,
      predicts,
    });

  it("has the Hessian as its Fisher matrix, where outputs are linear in the parameters", () => {
    const f = of("classes");
    const vector = { weight: key(4).normal([4, 3]).cast("f64"), bias: key(5).normal([4]).cast("f64") };
    const [a, b] = [f.fisherVp(params, vector, batch), f.hvp(params, vector, batch)];
    expect(a.weight.sub(b.weight).abs().max().item()).toBeLessThan(1e-12);
    expect(a.bias.sub(b.bias).abs().max().item()).toBeLessThan(1e-12);
  });

  it("has gradients per example, whose mean is the gradient", () => {
    const f = of("empirical");
    const each = f.perExample(params, batch);
    expect(each.weight.shape).toEqual([5, 4, 3]);
    const [, whole] = f.valueAndGrad(params, batch);
    expect(each.weight.mean(0).sub(whole.weight).abs().max().item()).toBeLessThan(1e-12);
    const third = grad((p: typeof params) =>
      crossEntropy(model.apply(p, state, batch.x.slice([2, 3]), { train: true })[0], { y: y.slice([2, 3]) }),
    )(params);
    expect(each.bias.slice([2, 3]).squeeze(0).sub(third.bias).abs().max().item()).toBeLessThan(1e-12);
  });

  it("draws targets from the model: gradients with the mean 0 and the second moments of the Fisher matrix", () => {
    const many = { x: batch.x.slice([0, 1]).expand([4000, 3]), y: tensor(new Int32Array(4000)) };
    const [tap] = of("classes").layerTaps(params, many);
    const [p] = model.apply(params, state, batch.x.slice([0, 1]), { train: true });
    const q = p.softmax(-1).squeeze(0);
    const cotangent = tap?.cotangent as Tensor;
    expect(cotangent.mean(0).abs().max().item()).toBeLessThan(0.05);
    const moments = cotangent.transpose().matmul(cotangent).div(4000);
    const wanted = q
      .unsqueeze(1)
      .mul(
        tensor(
          [
            [1, 0, 0, 0],
            [0, 1, 0, 0],
            [0, 0, 1, 0],
            [0, 0, 0, 1],
          ],
          { dtype: "f64" },
        ),
      )
      .sub(q.unsqueeze(1).mul(q.unsqueeze(0)));
    expect(moments.sub(wanted).abs().max().item()).toBeLessThan(0.02);
    for (const predicts of ["bernoulli", "normal"] as const) {
      const [other] = of(predicts).layerTaps(params, many);
      expect(other?.cotangent.mean(0).abs().max().item()).toBeLessThan(0.05);
    }
  });

  it("refuses a weight that is not among the parameters", () => {
    const f = modelObjective({
      outputs: (p: typeof params, { x }: typeof batch, tap) =>
        model.apply(
          mapTree(p, (w) => w.mul(1)),
          state,
          x,
          { train: true, tap },
        )[0],
      loss: crossEntropy,
    });
    expect(() => f.layerTaps(params, batch)).toThrow(
      "a layer reports a weight that is not among the parameters",
    );
  });
});
