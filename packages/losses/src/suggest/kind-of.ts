import { fail } from "@gradus/core";
import type { Question, Task } from "../suggest-loss.js";
import { looksLikeCounts, onlyHas, type TargetFacts } from "./target-facts.js";

/** What targets stand for: what is said, or else what they and the output layer suggest. */
export function kindOf(question: Question): Task {
  const { task, ordered = false, facts } = question;
  if (task !== undefined) return checked(task, ordered, facts);
  if (
    question.quantile !== undefined ||
    (question.uncertainty !== undefined && question.uncertainty !== false)
  ) {
    return "regression";
  }
  if (typeof question.censored === "object") return "regression";
  const { shape, dtype, rowTotal } = facts;
  const yesNo = dtype === "bool" || onlyHas([0, 1], facts);
  if (shape.length > 2 && yesNo) return "mask";
  if (shape.length === 2 && (shape[1] as number) > 1) {
    const isRows = rowTotal !== undefined && Math.abs(rowTotal - 1) < 1e-3 && facts.min >= 0;
    if (isRows && ordered) return yesNo ? "ordinal" : "distribution";
    if (isRows) return yesNo ? "classes" : "distribution";
    if (yesNo) return "multilabel";
    return valuesKind(question);
  }
  if (ordered) return "ordinal";
  if (yesNo || onlyHas([-1, 1], facts)) return (question.output.units ?? 1) > 1 ? "classes" : "binary";
  return valuesKind(question);
}

/** Of one number for each sample, more than yes or no. */
function valuesKind(question: Question): Task {
  const { facts, output } = question;
  const { dtype, distinct, sorted, min, max, integers } = facts;
  const single = facts.columns.length === 1;
  if (!integers) return min >= 0 && max <= 1 && distinct.size > 2 ? "shares" : "regression";
  if (single && distinct.size > 2 && min >= 0 && output.units !== undefined && output.units > 1) {
    if (output.units === max) return "ordinal";
    if (output.units > max) return "classes";
  }
  const asCounts = looksLikeCounts(facts);
  if (output.units === 1)
    return asCounts || (min >= 0 && dtype === "i32" && max > 1) ? "counts" : "regression";
  if (asCounts) return "counts";
  if (single && distinct.size === 2) return "binary";
  // Classes are few, or all numbers from 0 on, and each of them is met several times.
  const every = min === 0 && distinct.size === max + 1;
  const few = distinct.size <= (dtype === "i32" ? (every ? 1000 : 30) : 10);
  const often = sorted.length >= 3 * distinct.size;
  const dense = max - min + 1 <= 2 * distinct.size;
  return single && few && often && dense ? "classes" : "regression";
}

/** Throws unless the targets can be what they are said to be. */
function checked(task: Task, ordered: boolean, facts: TargetFacts): Task {
  const wrong = (must: string): never =>
    fail(
      "invalid-argument",
      `suggestLoss: targets of the task "${task}" must ${must}; they are from ${facts.min} to ${facts.max}`,
    );
  const whole = (): void => {
    if (!facts.integers) wrong("be whole numbers");
  };
  switch (task) {
    case "counts":
      whole();
      if (facts.min < 0) wrong("not be negative");
      return task;
    case "shares":
    case "distribution":
      if (facts.min < 0 || facts.max > 1) wrong("be in [0, 1]");
      return task;
    case "binary":
      if (facts.distinct.size > 2) wrong("have two values");
      return task;
    case "multilabel":
    case "mask":
      if (!onlyHas([0, 1], facts)) wrong("be 0 or 1");
      return task;
    case "classes":
      whole();
      return ordered ? "ordinal" : task;
    case "ordinal":
      whole();
      return task;
    default:
      return task;
  }
}
