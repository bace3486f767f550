import { fail, formatShape, sameShape, type Tensor } from "@gradus/core";
import { checkOption, checkTensors } from "./check-arguments.js";
import { checkClasses, checkLengths, reads } from "./check-values.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface CtcOptions extends LossOptions {
  /** The class that stands for no label. Default 0. */
  readonly blank?: number;
  /** Whether a target that does not fit into its input costs 0 instead of infinity. Default false. */
  readonly zeroInfinity?: boolean;
}

/** Stands for log 0: finite, so that no gradient is infinity minus infinity. */
const NOTHING = -1e30;

/**
 * Connectionist temporal classification: minus the log-probability that a sequence of frames spells the
 * target, summed over all alignments, with repeated labels merged and blanks removed.
 *
 * Log-probabilities are f32 or f64, `[T, N, C]` as `logSoftmax(-1)` returns them, or `[T, C]` for one
 * sequence. Targets are classes other than the blank (i32): `[N, S]`, padded with anything, or all of them
 * one after the other, `[sum of targetLengths]`; `[S]` for one sequence. Both lengths are i32 `[N]`, or
 * 0-dimensional. The mean divides each loss by its target's length (at least 1) before it averages the batch.
 * A target that does not fit costs infinity and its gradient is NaN; see `zeroInfinity`.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, `index-out-of-range` for a target that is not a class, or
 * `invalid-argument` for an unknown reduction or blank, and (see `validate`) lengths that do not fit or
 * negative weights.
 *
 * Source: PyTorch's `nn.CTCLoss`; `sampleWeight` is an addition. Graves et al., "Connectionist Temporal
 * Classification", 2006.
 *
 * @example
 * ```ts
 * import { ctc } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const logProbabilities = tensor([[0.5, 0.5], [0.25, 0.75]]).log();
 * const [target, length] = [tensor([1], { dtype: "i32" }), tensor(1, { dtype: "i32" })];
 * // The label in either frame or in both: 1 - 0.5 * 0.25.
 * ctc(logProbabilities, target, tensor(2, { dtype: "i32" }), length).exp().item(); // → 1.1429
 * ```
 */
export function ctc(
  logProbabilities: Tensor,
  targets: Tensor,
  inputLengths: Tensor,
  targetLengths: Tensor,
  options: CtcOptions = {},
): Tensor {
  const { blank = 0, reduction = "mean", zeroInfinity = false, validate } = options;
  checkTensors("ctc", "logProbabilities", logProbabilities, targets);
  const { frames, samples, classes, labels } = checkShapes(
    logProbabilities,
    targets,
    inputLengths,
    targetLengths,
  );
  const isClass = Number.isInteger(blank) && blank >= 0 && blank < classes;
  checkOption("ctc", "blank", blank, isClass, `a class, 0 to ${classes - 1}`);
  checkLengths("ctc", "inputLengths", inputLengths, frames, logProbabilities, validate);
  const total = targets.ndim === 1 && logProbabilities.ndim === 3 ? targets.size : undefined;
  checkLengths("ctc", "targetLengths", targetLengths, labels, logProbabilities, validate, total);

  const lengths = targetLengths.reshape([samples]);
  const padded =
    total === undefined ? targets.reshape([samples, labels]) : unpack(targets, lengths, logProbabilities);
  const spelled = positions(padded, padded.shape[1] as number)
    .lt(lengths.unsqueeze(1))
    .where(padded, blank);
  checkClasses("ctc", spelled, classes, undefined, logProbabilities, validate);
  const scores = logProbabilities.reshape([frames, samples, classes]);
  const likelihood = logLikelihood(scores, spelled, inputLengths.reshape([samples]), lengths, blank);
  const costs = costOf(likelihood, zeroInfinity);
  const losses = reduction === "mean" ? costs.div(lengths.maximum(1).cast(costs.dtype)) : costs;
  return reduceLoss("ctc", logProbabilities.ndim === 2 ? losses.reshape([]) : losses, options);
}

/** The log-probability of each target, `[N]`: the forward algorithm over the target with blanks between its labels. */
function logLikelihood(
  scores: Tensor,
  targets: Tensor,
  inputLengths: Tensor,
  targetLengths: Tensor,
  blank: number,
): Tensor {
  const [frames, samples] = scores.shape as readonly [number, number, number];
  const states = 2 * (targets.shape[1] as number) + 1;
  const path = withBlanks(targets, blank);
  const same = path.eq(before(path, 2, blank));
  const maySkip = path.ne(blank).logicalAnd(same.logicalNot());
  const emitted = scores.gather(2, path.expand([frames, samples, states])).maximum(NOTHING);
  // Before the first frame the path stands on the first blank, from where it may stay or step to the first label.
  let alpha = positions(path, states)
    .eq(0)
    .where(scores.zerosLike().sum(), NOTHING)
    .expand([samples, states]);
  for (let t = 0; t < frames; t++) {
    const skipped = maySkip.where(before(alpha, 2, NOTHING), NOTHING);
    const reached = alpha.logaddexp(before(alpha, 1, NOTHING)).logaddexp(skipped);
    const next = reached.add(emitted.slice([t, t + 1]).squeeze(0));
    alpha = inputLengths.gt(t).unsqueeze(1).where(next, alpha);
  }
  const last = targetLengths.mul(2).unsqueeze(1);
  const onBlank = alpha.gather(1, last);
  const onLabel = last.gt(0).where(alpha.gather(1, last.sub(1).maximum(0)), NOTHING);
  return onBlank.logaddexp(onLabel).squeeze(1);
}

/** Minus the log-likelihood; where that is log 0, infinity with gradient NaN, or 0 with gradient 0. */
function costOf(likelihood: Tensor, zeroInfinity: boolean): Tensor {
  const impossible = likelihood.lt(NOTHING / 2);
  if (zeroInfinity) return impossible.where(0, likelihood.neg());
  const value = impossible.where(Number.POSITIVE_INFINITY, likelihood.detach().neg());
  const [cost] = likelihood.engine.record("ctc", [likelihood], [value], ([dy]) => [
    dy === undefined ? undefined : dy.mul(impossible.where(Number.NaN, value.onesLike().neg())),
  ]);
  return cost as Tensor;
}

/** `[blank, label, blank, label, ..., blank]` of each row of labels. */
function withBlanks(targets: Tensor, blank: number): Tensor {
  const [samples, labels] = targets.shape as readonly [number, number];
  const pairs = targets.unsqueeze(2).pad(
    [
      [0, 0],
      [0, 0],
      [1, 0],
    ],
    blank,
  );
  return pairs.reshape([samples, 2 * labels]).pad(
    [
      [0, 0],
      [0, 1],
    ],
    blank,
  );
}

/** What stands `distance` places earlier in each row. */
function before(rows: Tensor, distance: number, atStart: number): Tensor {
  const width = rows.shape[1] as number;
  return rows
    .pad(
      [
        [0, 0],
        [distance, 0],
      ],
      atStart,
    )
    .slice(null, [0, width]);
}

/** Targets one after the other as rows, padded with anything. */
function unpack(targets: Tensor, lengths: Tensor, logProbabilities: Tensor): Tensor {
  const samples = lengths.size;
  if (targets.size === 0) return targets.reshape([samples, 0]);
  // Where the lengths cannot be looked at, a row may be as long as all of them.
  const readable = reads(undefined, lengths, logProbabilities);
  const width = readable ? Math.max(0, ...lengths.data()) : targets.size;
  const earlier = positions(lengths, samples).unsqueeze(0).lt(positions(lengths, samples).unsqueeze(1));
  const starts = earlier.where(lengths.unsqueeze(0), 0).sum(1, { keepdims: true });
  const index = starts.add(positions(targets, width)).minimum(targets.size - 1);
  return targets.gather(0, index.reshape([samples * width])).reshape([samples, width]);
}

/** 0, 1, ... as i32, where `like` is. */
function positions(like: Tensor, count: number): Tensor {
  return like.engine.arange(0, count, 1, { dtype: "i32", device: like.device });
}

function checkShapes(
  logProbabilities: Tensor,
  targets: Tensor,
  inputLengths: Tensor,
  targetLengths: Tensor,
): { readonly frames: number; readonly samples: number; readonly classes: number; readonly labels: number } {
  const { shape } = logProbabilities;
  if (shape.length !== 2 && shape.length !== 3) {
    fail(
      "shape-mismatch",
      `ctc: logProbabilities must be [T, N, C], or [T, C] for one sequence, got ${formatShape(shape)}`,
    );
  }
  const [frames, classes] = [shape[0] as number, shape.at(-1) as number];
  const samples = shape.length === 2 ? 1 : (shape[1] as number);
  if (targets.ndim !== 1 && !(shape.length === 3 && targets.ndim === 2 && targets.shape[0] === samples)) {
    fail(
      "shape-mismatch",
      `ctc: targets ${formatShape(targets.shape)} do not fit logProbabilities ${formatShape(shape)}: expected ` +
        (shape.length === 2 ? "[S]" : `[${samples}, S], or all of them one after the other`),
    );
  }
  checkTensors("ctc", "logProbabilities", logProbabilities, inputLengths, "inputLengths");
  checkTensors("ctc", "logProbabilities", logProbabilities, targetLengths, "targetLengths");
  const integers = { targets, inputLengths, targetLengths };
  for (const [name, x] of Object.entries(integers)) {
    if (x.dtype !== "i32") {
      fail("dtype-mismatch", `ctc: ${name} must be i32, got ${x.dtype}. Convert them: ${name}.cast("i32")`);
    }
    if (x === targets || sameShape(x.shape, [samples]) || (shape.length === 2 && x.ndim === 0)) continue;
    fail(
      "shape-mismatch",
      `ctc: ${name} ${formatShape(x.shape)} must have one length per sequence, ${formatShape([samples])}`,
    );
  }
  return { frames, samples, classes, labels: targets.shape.at(-1) as number };
}
