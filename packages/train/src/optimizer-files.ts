import {
  checkSameStructure,
  fail,
  flattenTree,
  formatPath,
  formatShape,
  GradusError,
  isTensor,
  type Optimizer,
  type OptimizerState,
  type Path,
  type Rule,
  type RuleState,
  sameShape,
  type Tensor,
  tensorsOf,
} from "@gradus/core";
import { checksum } from "./checksum.js";
import { readFile, writeFileAtomically } from "./files.js";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";
import { buildStateTree, readStateTree } from "./state-tree.js";

const FORMAT = "gradus-optimizer/1";

/** An optimizer with the parameters that it trains. */
export interface OptimizerOf<P, O extends Rule | Optimizer = Rule | Optimizer> {
  readonly optimizer: O;
  readonly params: P;
}

/** The state that an optimizer of this kind keeps. */
export type StateOf<P, O> = O extends Rule ? RuleState<P> : OptimizerState<P>;

/** A state as two files. */
export interface OptimizerFiles {
  /** A safetensors file: the tensors, by their paths in the state. */
  readonly tensors: Uint8Array;
  /** JSON: the format's version, whose state it is, the numbers of the host, which tensors go where. */
  readonly record: string;
}

/**
 * The state of an optimizer as the bytes of two files: tensors as safetensors, all else as JSON. Equal states give equal
 * bytes.
 *
 * @example
 * ```ts
 * import { adam } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * import { decodeOptimizer, encodeOptimizer } from "@gradus/train";
 * const optimizer = adam();
 * const params = { w: tensor([1, 2]) };
 * const { state } = optimizer.update(params, optimizer.init(params), { params });
 * const files = await encodeOptimizer({ optimizer, params }, state);
 * const again = decodeOptimizer({ optimizer, params }, files);
 * console.log(again.step.value, again.slots.firstMoment?.w); // → 1 Tensor f32[2] [0.1, 0.2]
 * ```
 */
export async function encodeOptimizer<P>(
  { optimizer, params }: OptimizerOf<P>,
  state: RuleState<P> | OptimizerState<P>,
): Promise<OptimizerFiles> {
  const tree = await readStateTree(state);
  const tensors = encodeSafetensors(tree.tensors, { format: FORMAT, optimizer: optimizer.name });
  const record: FileRecord = {
    format: FORMAT,
    optimizer: optimizer.name,
    params: signatureOf(params),
    checksum: checksum(tensors),
    state: JSON.parse(tree.json),
  };
  return { tensors, record: `${JSON.stringify(record, undefined, 2)}\n` };
}

/**
 * The state that {@link encodeOptimizer} put into files, for the same optimizer and parameters of the same shapes: going on
 * with it gives the same bits as never having stopped.
 *
 * @param name how messages call the files
 * @throws `corrupt-file` for files that are damaged, or do not belong together; `unsupported` for those of another version;
 * `tree-mismatch`, naming the path, for the state of another optimizer, or of one with other options, or of another model.
 */
export function decodeOptimizer<P, O extends Rule | Optimizer>(
  of: OptimizerOf<P, O>,
  files: OptimizerFiles,
  name = "decodeOptimizer",
): StateOf<P, O> {
  try {
    return decode(of, files) as StateOf<P, O>;
  } catch (cause) {
    if (!(cause instanceof GradusError)) throw cause;
    throw new GradusError(cause.code, `${name}: ${cause.message}`, { cause });
  }
}

/**
 * Writes a state to `path.safetensors` and `path.json`. Each is replaced as a whole; a pair of which only one was replaced, by
 * a crash in between, is refused by {@link loadOptimizer}.
 *
 * @throws `unsupported` where there is no file system, `invalid-argument` if a file cannot be written.
 *
 * @example
 * ```ts
 * import { sgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * import { loadOptimizer, saveOptimizer } from "@gradus/train";
 * const optimizer = sgd({ lr: 0.1, momentum: 0.9 });
 * const params = { w: tensor([1, 2]) };
 * const { state } = optimizer.update(params, optimizer.init(params), { params });
 * await saveOptimizer("momentum", { optimizer, params }, state);
 * const again = await loadOptimizer("momentum", { optimizer, params });
 * console.log(again.slots.velocity?.w); // → Tensor f32[2] [1, 2]
 * ```
 */
export async function saveOptimizer<P>(
  path: string,
  of: OptimizerOf<P>,
  state: RuleState<P> | OptimizerState<P>,
): Promise<void> {
  const { tensors, record } = await encodeOptimizer(of, state);
  await writeFileAtomically("saveOptimizer", `${path}.safetensors`, tensors);
  await writeFileAtomically("saveOptimizer", `${path}.json`, new TextEncoder().encode(record));
}

/** The state that {@link saveOptimizer} wrote; see {@link decodeOptimizer} for what is checked. */
export async function loadOptimizer<P, O extends Rule | Optimizer>(
  path: string,
  of: OptimizerOf<P, O>,
): Promise<StateOf<P, O>> {
  const tensors = await readFile("loadOptimizer", `${path}.safetensors`);
  const record = new TextDecoder().decode(await readFile("loadOptimizer", `${path}.json`));
  return decodeOptimizer(of, { tensors, record }, `loadOptimizer: ${path}`);
}

interface FileRecord {
  readonly format: string;
  readonly optimizer: string;
  /** The dtype and shape of each parameter, by path. */
  readonly params: Readonly<Record<string, string>>;
  /** Of the tensors' file. */
  readonly checksum: string;
  readonly state: unknown;
}

function decode<P>({ optimizer, params }: OptimizerOf<P>, files: OptimizerFiles): unknown {
  const record = parseRecord(files.record);
  if (record.optimizer !== optimizer.name) {
    fail("tree-mismatch", `the state at (root) is that of ${record.optimizer}, not of ${optimizer.name}`);
  }
  if (checksum(files.tensors) !== record.checksum) {
    fail("corrupt-file", "the tensors are damaged, or are not those that the record was written with");
  }
  checkModel(record.params, signatureOf(params));
  const { tensors } = decodeSafetensors(files.tensors);
  const [{ device }] = tensorsOf(params) as [Tensor];
  const state = buildStateTree({ json: JSON.stringify(record.state), tensors }, device);
  if ("update" in optimizer) checkLikeNew(optimizer.init(params), state);
  return state;
}

function parseRecord(json: string): FileRecord {
  let record: unknown;
  try {
    record = JSON.parse(json);
  } catch (cause) {
    throw new GradusError("corrupt-file", "the record of the state is not JSON", { cause });
  }
  const { format, optimizer, params, checksum: sum, state } = (record ?? {}) as Partial<FileRecord>;
  if (format !== FORMAT) {
    if (typeof format === "string" && format.startsWith("gradus-optimizer/")) {
      fail(
        "unsupported",
        `the record has the format ${format}, and this version reads ${FORMAT}. Update @gradus/train`,
      );
    }
    fail("corrupt-file", `the record is not that of an optimizer: it names no format ${FORMAT}`);
  }
  const sound =
    typeof optimizer === "string" &&
    typeof params === "object" &&
    params !== null &&
    typeof sum === "string" &&
    typeof state === "object" &&
    state !== null;
  if (!sound) fail("corrupt-file", "the record of the state lacks the optimizer, params, checksum or state");
  return record as FileRecord;
}

function signatureOf(params: unknown): Record<string, string> {
  const { leaves, paths } = flattenTree(params);
  const entries = leaves.flatMap((leaf, i) =>
    isTensor(leaf) ? [[formatPath(paths[i] as Path), `${leaf.dtype}${formatShape(leaf.shape)}`]] : [],
  );
  return Object.fromEntries(entries);
}

/** Throws, naming the first path that differs, unless the state was made for these parameters. */
function checkModel(saved: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): void {
  for (const path of new Set([...Object.keys(now), ...Object.keys(saved)])) {
    const [was, is] = [saved[path], now[path]];
    if (was === is) continue;
    fail(
      "tree-mismatch",
      was === undefined || is === undefined
        ? `the state is of another model: parameter ${path} is ${was === undefined ? "not in it" : "in it, and not here"}`
        : `the state is of another model: its parameter ${path} is ${was}, here it is ${is}`,
    );
  }
}

/** Throws, naming the path, unless a state has what a new one has. */
function checkLikeNew(fresh: unknown, state: unknown): void {
  checkSameStructure(fresh, state, "the state");
  const found = flattenTree(state);
  const byPath = new Map(found.paths.map((path, i) => [JSON.stringify(path), found.leaves[i]]));
  const { leaves, paths } = flattenTree(fresh);
  leaves.forEach((leaf, i) => {
    const path = paths[i] as Path;
    const other = byPath.get(JSON.stringify(path));
    if (!isTensor(leaf) || !isTensor(other)) return;
    if (leaf.dtype === other.dtype && sameShape(leaf.shape, other.shape)) return;
    const [is, expected] = [other, leaf].map((x) => `${x.dtype}${formatShape(x.shape)}`);
    fail("tree-mismatch", `the state's ${formatPath(path)} is ${is}, expected ${expected}`);
  });
}
