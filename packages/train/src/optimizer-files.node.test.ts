import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { objective } from "@gradus/autograd";
import { type Rule, type RuleState, type Tensor, tensorsOf } from "@gradus/core";
import {
  adafactor,
  adam,
  adamw,
  applyUpdates,
  chain,
  cosine,
  ema,
  gradientNoise,
  lbfgs,
  lookahead,
  muon,
  partition,
  reduceOnPlateau,
  scheduleFreeAdamw,
  sgd,
  shampoo,
} from "@gradus/optimizers";
import { key, ones, type Tensor as T, tensor } from "@gradus/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { decodeOptimizer, encodeOptimizer, loadOptimizer, saveOptimizer } from "./index.js";

const folder = mkdtempSync(join(tmpdir(), "gradus-optimizer-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Params {
  readonly layers: readonly [{ readonly weight: Tensor; readonly "a.b": Tensor }];
  readonly name: string;
}
const params = (): Params => ({
  layers: [{ weight: key(1).normal([3, 2]), "a.b": key(2).normal([3]) }],
  name: "net",
});

function run(rule: Rule, from: Params, state: RuleState<Params>, steps: number) {
  let [p, s] = [from, state];
  for (let i = 0; i < steps; i++) {
    const next = rule.update(applyUpdates(p, p), s, { params: p, key: key(9).foldIn(s.step) });
    [p, s] = [applyUpdates(p, next.updates), next.state];
  }
  return { p, s };
}
const bits = (tree: unknown) => tensorsOf(tree).map((x) => [...x.data()]);

const byName = (path: readonly string[]) => (path.at(-1) === "weight" ? "matrices" : "others");
const rules: readonly (readonly [string, () => Rule])[] = [
  ["sgd without state", () => sgd({ lr: 0.1 })],
  ["adamw with a schedule", () => adamw({ lr: cosine({ from: 0.1, steps: 10 }) })],
  ["adafactor", () => adafactor()],
  ["scheduleFreeAdamw", () => scheduleFreeAdamw({ lr: 0.1, warmup: 3 })],
  ["a plateau around lookahead", () => reduceOnPlateau(lookahead(adam(), { every: 3 }))],
  ["a partition", () => partition({ matrices: muon(), others: ema(adam()) }, byName)],
  ["a chain", () => chain(gradientNoise(), shampoo({ every: 3 }))],
];

describe("saveOptimizer and loadOptimizer", () => {
  it.each(rules)("%s goes on with the same bits", async (name, make) => {
    const { p, s } = run(make(), params(), make().init(params()), 4);
    const path = join(folder, name.replaceAll(" ", "-"));
    await saveOptimizer(path, { optimizer: make(), params: p }, s);
    const loaded = await loadOptimizer(path, { optimizer: make(), params: p });
    expect(bits(loaded)).toEqual(bits(s));
    const [unbroken, resumed] = [run(make(), p, s, 4), run(make(), p, loaded, 4)];
    expect(bits(resumed)).toEqual(bits(unbroken));
    expect(resumed.s.step.value).toBe(8);
  });

  it("keeps numbers of the host exactly, infinities too", async () => {
    const optimizer = reduceOnPlateau(sgd({ lr: 0.1 }));
    const at = { w: tensor([1]) };
    const state = optimizer.init(at);
    const again = decodeOptimizer(
      { optimizer, params: at },
      await encodeOptimizer({ optimizer, params: at }, state),
    );
    expect(again.scalars?.best?.value).toBe(Infinity);
    const observed = optimizer.observe?.(state, 0.1 + 0.2) as typeof state;
    const files = await encodeOptimizer({ optimizer, params: at }, observed);
    expect(decodeOptimizer({ optimizer, params: at }, files).scalars?.best?.value).toBe(0.1 + 0.2);
  });

  it("takes an optimizer that evaluates the objective itself, with its history", async () => {
    const f = objective((x: T) => x.square().sub(2).square().sum().add(x.sum()));
    const optimizer = lbfgs();
    let at: T = tensor([0.5, -1.5, 3]);
    let state = optimizer.init(at);
    for (let i = 0; i < 3; i++) ({ params: at, state } = await optimizer.step(f, at, state, undefined));
    const files = await encodeOptimizer({ optimizer, params: at }, state);
    const again = decodeOptimizer({ optimizer, params: at }, files);
    const [one, other] = [
      await optimizer.step(f, at, state, undefined),
      await lbfgs().step(f, at, again, undefined),
    ];
    expect(bits(other.params)).toEqual(bits(one.params));
  });

  it("gives equal bytes for equal states", async () => {
    const of = { optimizer: adam(), params: params() };
    const { s } = run(of.optimizer, of.params, of.optimizer.init(of.params), 2);
    expect(await encodeOptimizer(of, s)).toEqual(await encodeOptimizer(of, s));
  });
});

describe("refuses", async () => {
  const optimizer = adam();
  const at = { layer: { w: ones([2, 3]), b: ones([2]) } };
  const files = await encodeOptimizer({ optimizer, params: at }, optimizer.init(at));
  const record = JSON.parse(files.record);
  const changed = (change: object) => ({ ...files, record: JSON.stringify({ ...record, ...change }) });
  const load =
    (from = files, of = { optimizer: optimizer as Rule, params: at as unknown }) =>
    () =>
      decodeOptimizer(of, from);

  it.each<[string, () => unknown, string, string]>([
    [
      "the state of another optimizer",
      load(files, { optimizer: adamw(), params: at }),
      "tree-mismatch",
      "the state at (root) is that of adam, not of adamw",
    ],
    [
      "that of other options",
      load(files, { optimizer: adam({ amsgrad: true }), params: at }),
      "tree-mismatch",
      "there is no leaf at slots.maxSecondMoment.layer.w",
    ],
    [
      "that of another model",
      load(files, { optimizer, params: { layer: { w: ones([3, 3]), b: ones([2]) } } }),
      "tree-mismatch",
      "its parameter layer.w is f32[2, 3], here it is f32[3, 3]",
    ],
    [
      "that of a model with more",
      load(files, { optimizer, params: { ...at, head: ones([1]) } }),
      "tree-mismatch",
      "parameter head is not in it",
    ],
    [
      "that of a model with less",
      load(files, { optimizer, params: { layer: { w: at.layer.w } } }),
      "tree-mismatch",
      "parameter layer.b is in it, and not here",
    ],
    [
      "another version",
      load(changed({ format: "gradus-optimizer/9" })),
      "unsupported",
      "this version reads gradus-optimizer/1",
    ],
    [
      "another file",
      load(changed({ format: undefined })),
      "corrupt-file",
      "it names no format gradus-optimizer/1",
    ],
    [
      "a record that was cut off",
      load({ ...files, record: files.record.slice(0, 40) }),
      "corrupt-file",
      "not JSON",
    ],
    ["a record without parts", load(changed({ state: null })), "corrupt-file", "lacks the optimizer"],
    [
      "tensors that were cut off",
      load({ ...files, tensors: files.tensors.slice(0, -4) }),
      "corrupt-file",
      "damaged, or are not those",
    ],
    [
      "a flipped bit",
      load({ ...files, tensors: files.tensors.map((b, i) => (i === files.tensors.length - 1 ? b ^ 1 : b)) }),
      "corrupt-file",
      "damaged",
    ],
  ])("%s", (_, call, code, message) => {
    expect(call).toThrow(expect.objectContaining({ code }));
    expect(call).toThrow(message);
  });

  it("a pair of files that do not belong together", async () => {
    const path = join(folder, "pair");
    const of = { optimizer, params: at };
    await saveOptimizer(path, of, optimizer.init(at));
    const old = readFileSync(`${path}.json`);
    await saveOptimizer(path, of, optimizer.update(at, optimizer.init(at), { params: at }).state);
    writeFileSync(`${path}.json`, old);
    await expect(loadOptimizer(path, of)).rejects.toThrow(
      `loadOptimizer: ${path}: the tensors are damaged, or`,
    );
    await expect(loadOptimizer(join(folder, "none"), of)).rejects.toThrow("cannot read");
  });
});
