import { entries } from "./entries.js";

/** The page of losses: what each one is, when to use it, its picture. */
export function lossesPage(): string {
  const groups = Object.entries(entries).map(([title, group]) => {
    const sections = Object.entries(group).map(([name, { formula, when, torch }]) =>
      [
        `### ${name}`,
        "",
        `\`${formula}\``,
        "",
        when,
        "",
        `![${titleOf(name)}](losses/${fileOf(name)})`,
        "",
        torch === "" ? "PyTorch has none." : `PyTorch: ${torch}.`,
      ].join("\n"),
    );
    return [`## ${title}`, ...sections].join("\n\n");
  });
  return `${head}\n\n${groups.join("\n\n")}\n`;
}

/** What a loss's picture shows. */
export function titleOf(name: string): string {
  return `Value and gradient of ${name}`;
}

/** The name of a loss's picture: `cross-entropy.svg`. */
export function fileOf(name: string): string {
  return `${name.replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, "-").toLowerCase()}.svg`;
}

const head = `# Losses

A loss is a function of predictions, targets and options. What each takes, throws and defaults to is in its doc comment; this
page says what it is for and shows its value and its gradient. The pictures are made of the library's own numbers, and this
page of \`packages/doctest/src/losses\`: \`npx vitest run --project node doctest/src/losses -u\`.

\`\`\`ts
import { bce, crossEntropy, mse } from "@gradus/losses";
import { tensor } from "@gradus/tensor";

const loss = mse(tensor([1, 2, 3]), tensor([0.9, 2.1, 3.2]));
loss.item(); // → 0.020000
const probabilities = tensor([0.7, 0.3, 0.9], { dtype: "f64" });
bce(probabilities, tensor([1, 0, 1])).item(); // → 0.272903

const logits = tensor([
  [0.2, 0.5, 0.3],
  [0.8, 0.1, 0.1],
  [0.1, 0.2, 0.7],
]);
crossEntropy(logits, tensor([1, 0, 2], { dtype: "i32" })).item(); // → 0.799169
\`\`\`

All of them take

- \`reduction\`: \`mean\` (the default), \`sum\`, or \`none\` for one loss per element or sample. The mean of nothing is NaN, the sum 0,
  also where every target is ignored;
- \`sampleWeight\`: how much each sample counts. The mean becomes a weighted mean, so weights that are all the same change
  nothing, and a sample of weight 0 counts for nothing;
- \`validate\`: whether to look at values. Eagerly that is the default where the device can be read without waiting; inside of
  \`compile\` nothing is looked at. Nothing is read out of bounds either way.

\`\`\`ts
import { crossEntropy } from "@gradus/losses";
import { tensor } from "@gradus/tensor";

const logits = tensor([
  [2, 0, 1],
  [0, 3, 0],
]);
const classes = tensor([0, 1], { dtype: "i32" });
console.log(crossEntropy(logits, classes, { reduction: "none" })); // → Tensor f32[2] [0.4076, 0.0949]
crossEntropy(logits, classes, { sampleWeight: tensor([1, 0]) }).item(); // → 0.407606
try {
  crossEntropy(logits, tensor([0, 3], { dtype: "i32" }));
} catch (error) {
  console.log((error as Error).message.slice(0, 45)); // → crossEntropy: target 3 at row 1 is not a clas
}
\`\`\`

Which one? \`suggestLoss\` looks at targets and at the output layer, and answers with reasons:

\`\`\`ts
import { breastCancer } from "@gradus/datasets";
import { suggestLoss } from "@gradus/losses";
import { linear, relu, sequential, sigmoid } from "@gradus/nn";
import { tensor } from "@gradus/tensor";

const targets = tensor(breastCancer().y);
const model = sequential(linear(30, 16), relu(), linear(16, 1), sigmoid());
const suggestion = suggestLoss({ targets, output: model });
console.log(suggestion.loss); // → bceWithLogits
console.log(suggestion.reasons[0]); // → the targets are yes or no: 357 of 569 are yes (63 %)
console.log(suggestion.warnings[0]?.slice(0, 29)); // → remove the sigmoid at the end
\`\`\`

Of one's own, a loss is one function, and \`describeLoss\` of \`@gradus/conformance\` tests it.`;
