import type { Tensor } from "@gradus/core";
import type { Question } from "../suggest-loss.js";
import { alike, type Draft, draft, percent, short } from "./suggestion.js";

/** From how many times more on, one side of a yes or no gets more weight. */
const UNEVEN = 3;
/** From how many times more on, most examples are easy ones that drown the others. */
const EXTREME = 100;

/** One yes or no for each sample: 0 and 1, -1 and 1, or any two values. */
export function suggestForYesNo({ facts, targets, noisyLabels = false }: Question): Draft {
  const [low = 0, high = low + 1] = facts.distinct.keys();
  const [no, yes] = facts.distinct.size === 1 ? onlySide(low) : [low, high];
  const positives = facts.distinct.get(yes) ?? 0;
  const negatives = facts.sorted.length - positives;
  const encode =
    no === 0 && yes === 1 && !noisyLabels
      ? alike
      : (t: Tensor, p: Tensor): Tensor => soften(alike(t, p).eq(yes).cast(p.dtype), noisyLabels);
  const words = no === 0 && yes === 1 ? "yes or no" : `yes or no, as ${no} and ${yes}`;
  const common = {
    lastLayer: {
      units: 1,
      activation: "none",
      description:
        "one logit, without a sigmoid; the probability of yes is logit.sigmoid(), the answer logit.gt(0)",
    },
    encode,
  } as const;
  const reasons = [
    `the targets are ${words}: ${positives} of ${facts.sorted.length} are yes (${percent(positives / facts.sorted.length)})`,
  ];
  const ratio = negatives / positives;
  if (positives > 0 && ratio >= EXTREME) {
    return draft({
      loss: "focal",
      options: { alpha: 0.25, gamma: 2 },
      ...common,
      reasons: [
        ...reasons,
        `there are ${short(ratio)} times as many no as yes: the focal loss keeps the many easy examples from drowning the ` +
          "few hard ones",
        "alpha 0.25 and gamma 2 are what Lin et al. (2017) found best together",
      ],
      alternatives: [
        {
          loss: "bceWithLogits",
          when: `with posWeight ${short(Math.min(ratio, EXTREME))}, if probabilities must be right on average`,
        },
      ],
    });
  }
  reasons.push("the binary cross-entropy is the likelihood of yes and no, and of logits it never overflows");
  if (noisyLabels)
    reasons.push("some labels are wrong: targets of 0.05 and 0.95 keep single ones from pulling without end");
  if (positives === 0 || negatives === 0 || (ratio < UNEVEN && ratio > 1 / UNEVEN)) {
    reasons.push("both answers are met often enough to need no weights");
    return draft({ loss: "bceWithLogits", ...common, reasons, alternatives: [marginAlternative] });
  }
  return draft({
    loss: "bceWithLogits",
    options: { posWeight: targets.engine.full([], ratio, { dtype: "f32", device: targets.device }) },
    ...common,
    reasons: [
      ...reasons,
      `posWeight ${short(ratio)} makes both answers count alike; without it, ${ratio > 1 ? "no" : "yes"} is right so often ` +
        "that little else is learned. Leave it out if the probabilities themselves must be right",
    ],
    alternatives: [{ loss: "focal", when: "if many examples are easy" }, marginAlternative],
  });
}

const marginAlternative = {
  loss: "hinge",
  when: "if only the side counts, not the probability (targets -1 and 1)",
};

function onlySide(value: number): readonly [number, number] {
  return value > 0 ? [value === 1 ? 0 : -value, value] : [value, value === 0 ? 1 : -value];
}

/** 0 and 1 as 0.05 and 0.95. */
function soften(targets: Tensor, noisy: boolean): Tensor {
  return noisy ? targets.mul(0.9).add(0.05) : targets;
}

/** Several yes or no for each sample, `[N, C]`. */
export function suggestForLabels({ facts, targets }: Question): Draft {
  const labels = facts.columns.length;
  const positives = facts.columns.map((column) => column.reduce((a, b) => a + b, 0));
  const ratios = positives.map((yes, c) => ((facts.columns[c] as Float64Array).length - yes) / yes);
  const never = positives.flatMap((yes, c) => (yes === 0 ? [c] : []));
  const uneven = ratios.some((ratio) => ratio >= UNEVEN && Number.isFinite(ratio));
  const perSample = positives.reduce((a, b) => a + b, 0) / (facts.shape[0] as number);
  const reasons = [
    `each sample has ${labels} yes or no, of which ${short(perSample)} are yes on average: several may be true at once, so each ` +
      "is a question of its own, and a softmax would make them compete",
  ];
  const warnings =
    never.length === 0 ? [] : [`label ${never.join(", ")} is never true: nothing can be learned about it`];
  const common = {
    lastLayer: {
      units: labels,
      activation: "none",
      description: `${labels} logits, without a sigmoid; probabilities are logits.sigmoid(), the labels logits.gt(0)`,
    },
    reasons,
    warnings,
    alternatives: [
      { loss: "focal", when: "if nearly all answers are no" },
      { loss: "multiLabelMargin", when: "if only the order of the labels counts" },
    ],
  } as const;
  if (!uneven) return draft({ loss: "bceWithLogits", ...common });
  const weights = ratios.map((ratio) => (Number.isFinite(ratio) ? Math.min(ratio, EXTREME) : 1));
  return draft({
    loss: "bceWithLogits",
    options: { posWeight: targets.engine.tensor(weights, { dtype: "f32", device: targets.device }) },
    ...common,
    reasons: [
      ...reasons,
      `some labels are rare: posWeight (no per yes, at most ${EXTREME}) makes both answers to each count alike`,
    ],
  });
}

/** Yes or no for each pixel, `[N, ...]`. */
export function suggestForMasks({ facts }: Question): Draft {
  const share = facts.sorted.reduce((a, b) => a + b, 0) / facts.sorted.length;
  const reasons = [`the targets are masks: ${percent(share)} of the pixels are yes`];
  if (share >= 0.2 && share <= 0.8) {
    return draft({
      loss: "bceWithLogits",
      lastLayer: {
        units: 1,
        activation: "none",
        description: "one logit for each pixel, without a sigmoid; the mask is logits.gt(0)",
      },
      reasons: [...reasons, "both sides are large, so every pixel may count alike"],
      alternatives: [{ loss: "dice", when: "if the overlap is what is reported" }],
      encode: alike,
    });
  }
  const lastLayer = {
    units: 1,
    activation: "sigmoid",
    description: "one probability for each pixel: a sigmoid at the end; the mask is probabilities.gt(0.5)",
  } as const;
  const overlap = "a loss of the overlap does not count the many pixels that are rightly empty";
  if (share >= 0.01 || share > 0.8) {
    return draft({
      loss: "dice",
      lastLayer,
      reasons: [...reasons, overlap],
      alternatives: [
        {
          loss: "tversky",
          when: "if missing a pixel is worse than marking one too many, with a beta above alpha",
        },
      ],
      encode: alike,
    });
  }
  return draft({
    loss: "tversky",
    options: { alpha: 0.3, beta: 0.7 },
    lastLayer,
    reasons: [
      ...reasons,
      overlap,
      "so little is marked that missing it costs least: beta 0.7 against alpha 0.3 makes a missed pixel worse than one too many " +
        "(Salehi et al., 2017)",
    ],
    alternatives: [{ loss: "focal", when: "on logits, if single pixels matter more than regions" }],
    encode: alike,
  });
}
