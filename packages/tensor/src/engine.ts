import type { Engine } from "@gradus/core";
import { apply } from "./apply.js";
import { batched } from "./batching/batched.js";
import { arange, full, tensor } from "./create.js";
import { asGradusTensor } from "./gradus-tensor.js";
import { concat } from "./ops/concat.js";
import { key } from "./random/key.js";
import { record, replayed, settled, unrecorded, watch } from "./record.js";
import { openScope, scope } from "./scope.js";

/** What other packages reach through `tensor.engine`. */
export const engine: Engine = {
  apply: (op, inputs, attrs) => apply(op, inputs, attrs),
  record,
  watch,
  settled: (x) => settled(asGradusTensor("settled", x)),
  unrecorded,
  replayed,
  batched,
  scope: (f) => scope(f as () => never),
  openScope,
  full,
  arange,
  tensor,
  concat,
  key,
};
