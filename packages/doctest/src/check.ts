import { AssertionError } from "node:assert";
import { format } from "node:util";
import { agrees } from "./number.js";

/** Collects what the assertions of one example find. */
export class Check {
  readonly #file: string;
  readonly #unreached: Set<number>;
  readonly #failures: AssertionError[] = [];

  /**
   * @param where The example's place, `docs/programs.md:12`.
   * @param lines The line of each assertion.
   */
  constructor(
    readonly where: string,
    lines: readonly number[],
  ) {
    this.#file = where.replace(/:\d+$/, "");
    this.#unreached = new Set(lines);
  }

  /** Stands for `console.log(...values)`: what it would print must be the expected text. */
  printed(line: number, expected: string, ...values: unknown[]): void {
    this.#compare(line, expected, format(...values));
  }

  /**
   * Stands for an expression statement: a number must agree with the expected one in the digits that are written;
   * any other value must print as the expected text.
   */
  value(line: number, expected: string, value: unknown): void {
    if (typeof value === "number" && agrees(value, expected)) this.#unreached.delete(line);
    else this.#compare(line, expected, format(value));
  }

  /**
   * Ends the example.
   *
   * @throws AssertionError if an assertion failed or was never reached. It is thrown here and not by the assertion,
   *   so that a `try` in the example cannot hide it.
   */
  finish(): void {
    const [failure, ...more] = this.#failures;
    if (failure) {
      failure.message = [failure, ...more].map(({ message }) => message).join("\n");
      throw failure;
    }
    for (const line of this.#unreached) throw new Error(`${this.#file}:${line}: this line was never reached`);
  }

  #compare(line: number, expected: string, actual: string): void {
    this.#unreached.delete(line);
    const found = trimmed(actual);
    if (found === expected) return;
    const message = `${this.#file}:${line}: expected ${expected}, got ${found}`;
    this.#failures.push(new AssertionError({ message, expected, actual: found }));
  }
}

/** A comment cannot show white space at the end of a line. */
function trimmed(text: string): string {
  return text.replace(/[ \t]+$/gm, "").trim();
}
