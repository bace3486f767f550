import type { Engine, Level, Tensor } from "@gradus/core";
import { aliasOf, apply, link, openLevels } from "./apply.js";
import { arange, full, tensor } from "./create.js";
import { asGradusTensor, type GradusTensor } from "./gradus-tensor.js";
import { concat } from "./ops/concat.js";
import { key } from "./random/key.js";
import { scope } from "./scope.js";

/** What other packages reach through `tensor.engine`. */
export const engine: Engine = {
  apply: (op, inputs, attrs) => apply(op, inputs, attrs),
  record(name, inputs, values, vjp) {
    const levels = openLevels(inputs);
    const outputs = values.map((value) => aliasOf(asGradusTensor(name, value)));
    if (levels.length > 0) link(name, inputs, outputs, levels, vjp);
    return outputs;
  },
  watch: (x: Tensor, level: Level): Tensor => {
    const watched: GradusTensor = aliasOf(asGradusTensor("watch", x));
    link("watch", [x], [watched], [level, ...openLevels([x])], (cotangents) => cotangents);
    return watched;
  },
  scope: (f) => scope(f as () => never),
  full,
  arange,
  tensor,
  concat,
  key,
};
