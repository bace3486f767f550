export {
  type Argument,
  applyStep,
  isSource,
  makeSource,
  mapRefs,
  type Node,
  type Program,
  Ref,
  refsOf,
  runProgram,
  type Source,
  type Step,
  toCode,
} from "./program.js";
export { programOf } from "./program-of.js";
export { Random } from "./random.js";
export { withDType } from "./with-dtype.js";
