import { fail, GradusError } from "@gradus/core";
import type { Json } from "./callback.js";
import type { HostTree } from "./host-tree.js";
import { decodeNumber, encodeNumber } from "./json-numbers.js";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";
import type { EpochLog } from "./scores.js";

const FORMAT = "gradus/1";

/** The parts of a file, each a tree. The first three are where training goes on; the others are for inference. */
export const PARTS = ["params", "state", "optimizer", "bestParams", "bestState", "evaluationParams"] as const;
export type Part = (typeof PARTS)[number];

/** Everything that a run's file holds beside tensors and optimizer scalars. */
export interface RunRecord {
  /** What the run was started with; a run that continues it must be started with the same. */
  readonly setup: RunSetup;
  /** Epochs finished. */
  readonly epoch: number;
  /** Steps done. */
  readonly step: number;
  /** Steps of the current epoch done, and what they add up to. */
  readonly stepInEpoch: number;
  readonly running: { readonly rows: number; readonly sums: readonly number[] };
  /** Updates left out because they were not finite. */
  readonly skipped: number;
  readonly history: readonly EpochLog[];
  /** The epoch whose parameters are kept as the best, and whether they are the run's result. */
  readonly best: { readonly epoch: number; readonly restored: boolean } | null;
  readonly callbacks: Readonly<Record<string, Json>>;
}

export interface RunSetup {
  readonly model: string;
  readonly optimizer: string;
  readonly seed: number;
  readonly batchSize: number;
  readonly dropLast: boolean;
  /** Full if it is missing. */
  readonly precision?: "mixed";
  /** Rows of training data, and what one is: `f32[64]`. */
  readonly rows: number;
  readonly x: string;
  readonly y: string;
  readonly metrics: readonly string[];
}

/** A run as its file holds it. */
export interface SavedRun {
  readonly record: RunRecord;
  readonly parts: ReadonlyMap<Part, HostTree>;
}

/** The bytes of a run: a safetensors file, whose metadata hold the record as JSON. */
export function encodeRun({ record, parts }: SavedRun): Uint8Array {
  const trees = [...parts.values()];
  const tensors = new Map(trees.flatMap((tree) => [...tree.tensors]));
  const scalars = Object.fromEntries(trees.flatMap((tree) => [...tree.scalars]));
  const json = JSON.stringify({ ...record, parts: [...parts.keys()], scalars }, encodeNumber);
  return encodeSafetensors(tensors, { format: FORMAT, run: json });
}

/**
 * The run that {@link encodeRun} put into bytes.
 *
 * @throws `corrupt-file` or `unsupported`, saying why.
 */
export function decodeRun(what: string, bytes: Uint8Array): SavedRun {
  try {
    return decode(bytes);
  } catch (cause) {
    if (!(cause instanceof GradusError)) throw cause;
    throw new GradusError(cause.code, `${what}: ${cause.message}`, { cause });
  }
}

/** A part of a saved run; throws `corrupt-file` if there is none. */
export function partOf(what: string, saved: SavedRun, part: Part): HostTree {
  return saved.parts.get(part) ?? fail("corrupt-file", `${what}: the file has no ${part}`);
}

function decode(bytes: Uint8Array): SavedRun {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const { format, run } = metadata;
  if (format !== FORMAT || run === undefined) {
    if (format?.startsWith("gradus/")) {
      fail(
        "unsupported",
        `the file has the format ${format}, and this version reads ${FORMAT}. Update @gradus/train`,
      );
    }
    fail(
      "corrupt-file",
      "this is a safetensors file, but not a saved run: its metadata name no format gradus/1",
    );
  }
  const { parts: names, scalars, ...record } = parseRecord(run);
  const parts = names.map((part): [Part, HostTree] => [
    part,
    {
      tensors: new Map([...tensors].filter(([name]) => rootOf(name) === part)),
      scalars: new Map(Object.entries(scalars).filter(([name]) => rootOf(name) === part)),
    },
  ]);
  return { record, parts: new Map(parts) };
}

/** The tree that a name belongs to: its first key. */
function rootOf(name: string): string {
  return name.split(".", 1)[0] as string;
}

interface FileRecord extends RunRecord {
  readonly parts: readonly Part[];
  readonly scalars: Readonly<Record<string, number>>;
}

function parseRecord(json: string): FileRecord {
  let record: unknown;
  try {
    record = JSON.parse(json, decodeNumber);
  } catch (cause) {
    throw new GradusError("corrupt-file", "the record of the run is not JSON", { cause });
  }
  const wrong = recordShape(record, "");
  if (wrong !== undefined) fail("corrupt-file", `the record of the run has no valid ${wrong}`);
  return record as FileRecord;
}

type Check = (value: unknown) => boolean;

const isCount: Check = (x) => Number.isSafeInteger(x) && (x as number) >= 0;
const isNumber: Check = (x) => typeof x === "number";
const isText: Check = (x) => typeof x === "string";
const isRecord: Check = (x) => typeof x === "object" && x !== null && !Array.isArray(x);
const listOf =
  (check: Check): Check =>
  (x) =>
    Array.isArray(x) && x.every(check);
const tableOf =
  (check: Check): Check =>
  (x) =>
    isRecord(x) && Object.values(x as object).every(check);
const fields =
  (checks: Readonly<Record<string, Check>>): Check =>
  (x) =>
    isRecord(x) && Object.entries(checks).every(([key, check]) => check((x as Record<string, unknown>)[key]));

const scores = tableOf(isNumber);

const RECORD: Readonly<Record<string, Check>> = {
  setup: fields({
    model: isText,
    optimizer: isText,
    seed: Number.isSafeInteger,
    batchSize: isCount,
    dropLast: (x) => typeof x === "boolean",
    precision: (x) => x === undefined || x === "mixed",
    rows: isCount,
    x: isText,
    y: isText,
    metrics: listOf(isText),
  }),
  epoch: isCount,
  step: isCount,
  stepInEpoch: isCount,
  running: fields({ rows: isCount, sums: listOf(isNumber) }),
  skipped: isCount,
  history: listOf(fields({ epoch: isCount, train: scores, validation: (x) => x === undefined || scores(x) })),
  best: (x) => x === null || fields({ epoch: isCount, restored: (r) => typeof r === "boolean" })(x),
  callbacks: isRecord,
  parts: listOf((x) => PARTS.includes(x as Part)),
  scalars: tableOf(isNumber),
};

/** The first field that is not as it should be. */
function recordShape(record: unknown, whole: string): string | undefined {
  if (!isRecord(record)) return whole || "content";
  return Object.keys(RECORD).find((key) => !(RECORD[key] as Check)((record as Record<string, unknown>)[key]));
}
