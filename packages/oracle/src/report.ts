import type { Mismatch } from "./compare.js";
import type { Outcome } from "./run-case.js";
import type { GoldenCase } from "./schema/golden-file.js";

export interface CaseResult {
  readonly golden: GoldenCase;
  readonly outcome: Outcome;
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

export interface ReportOptions {
  /** Cases that nothing here supports are not counted as failed. */
  readonly supported: boolean;
  /** Print every failure. */
  readonly all: boolean;
}

const SHOWN = 20;

export function countsOf(results: readonly CaseResult[], { supported }: ReportOptions): Counts {
  const count = (status: Outcome["status"]): number =>
    results.filter(({ outcome }) => outcome.status === status).length;
  return { passed: count("passed"), failed: count("failed") + (supported ? 0 : count("unsupported")) };
}

/** What is printed of a file: its counts, then failures, what is not supported, and notes. */
export function reportLines(name: string, results: readonly CaseResult[], options: ReportOptions): string[] {
  const { passed, failed } = countsOf(results, options);
  const unsupported = results.flatMap(({ golden, outcome }) =>
    outcome.status === "unsupported" ? [{ id: idOf(golden), what: outcome.what }] : [],
  );
  const counted = options.supported ? "not counted" : "counted as failed";
  const aside = unsupported.length === 0 ? "" : `, ${unsupported.length} not supported (${counted})`;
  return [
    `${name}: ${passed} passed, ${failed} failed${aside}`,
    ...failureLines(results, options.all),
    ...(unsupported.length === 0 ? [] : ["  not supported:", ...groupLines(unsupported, options.all)]),
    ...untranslatedLines(results, options.all),
    ...noteLines(results),
  ];
}

function failureLines(results: readonly CaseResult[], all: boolean): string[] {
  const failures = results.flatMap(({ golden, outcome }) =>
    outcome.status === "failed" ? [{ golden, mismatches: outcome.mismatches }] : [],
  );
  const shown = all ? failures : failures.slice(0, SHOWN);
  const left = failures.length - shown.length;
  const lines = shown.flatMap(({ golden, mismatches }) => {
    const [first, ...rest] = mismatches;
    const { note, kink } = golden.fields;
    const remarks = [
      kink === true ? "kink" : "",
      note ?? "",
      rest.length > 0 ? `${rest.length} more differ` : "",
    ];
    const remark = remarks.filter((text) => text !== "").join("; ");
    return [
      `  FAILED ${idOf(golden)}${remark === "" ? "" : ` (${remark})`}`,
      ...(first === undefined ? [] : mismatchLines(first)),
    ];
  });
  return left === 0 ? lines : [...lines, `  ... and ${left} more failures (--all prints them)`];
}

function mismatchLines({ what, expected, got, detail }: Mismatch): string[] {
  return [
    `    ${what}${detail === "" ? "" : `: ${detail}`}`,
    `      expected ${expected}`,
    `      got      ${got.split("\n").join("\n      ")}`,
  ];
}

/** What was not supported, the commonest first: `conv2d (7)`. */
function groupLines(
  items: readonly { readonly id: string; readonly what: string }[],
  all: boolean,
): string[] {
  const groups = new Map<string, string[]>();
  for (const { id, what } of items) groups.set(what, [...(groups.get(what) ?? []), id]);
  const sorted = [...groups].sort((a, b) => b[1].length - a[1].length || a[0].localeCompare(b[0]));
  if (all) return sorted.map(([what, ids]) => `    ${what}: ${ids.join(", ")}`);
  return wrap(sorted.map(([what, ids]) => (ids.length === 1 ? what : `${what} (${ids.length})`)));
}

function untranslatedLines(results: readonly CaseResult[], all: boolean): string[] {
  const items = results.flatMap(({ golden, outcome }) =>
    outcome.status === "untranslated" ? [{ id: idOf(golden), what: outcome.what }] : [],
  );
  if (items.length === 0) return [];
  const title = `  not translated, not counted: ${items.length}`;
  return all ? [title, ...items.map(({ id, what }) => `    ${id}: ${what}`)] : [title];
}

function noteLines(results: readonly CaseResult[]): string[] {
  return results.flatMap(({ golden, outcome }) => {
    if (outcome.status === "informative") return [`  note ${idOf(golden)}: ${outcome.note}`];
    if (outcome.status === "passed" && outcome.note !== undefined)
      return [`  passed ${idOf(golden)}: ${outcome.note}`];
    return [];
  });
}

function idOf({ section, fields }: GoldenCase): string {
  return `${section}:${fields.id}`;
}

const WIDTH = 110;

function wrap(words: readonly string[]): string[] {
  const lines: string[] = [];
  let line = "   ";
  words.forEach((word, i) => {
    const text = ` ${word}${i + 1 < words.length ? "," : ""}`;
    if (line.length + text.length > WIDTH) {
      lines.push(line);
      line = "   ";
    }
    line += text;
  });
  return [...lines, line];
}

export function totalLine({ passed, failed }: Counts): string {
  return `${passed} passed, ${failed} failed`;
}
