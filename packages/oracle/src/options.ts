import type { Tensor } from "@gradus/core";
import type { Lab } from "./lab.js";
import type { OptionValues } from "./schema/cases.js";
import { isGoldenNumber, isGoldenTensor, numberOf } from "./schema/values.js";
import { unsupported } from "./unsupported.js";

/**
 * The options of a case. Each must be read by the translation: one that it does not know would otherwise be ignored
 * silently, and the comparison would be with another function.
 */
export class Options {
  private readonly read = new Set<string>();

  constructor(
    private readonly values: OptionValues,
    /** What the options are of, for messages. */
    private readonly owner: string,
    private readonly lab: Lab,
  ) {}

  /** Whether the option is given, and not as null. */
  has(name: string): boolean {
    this.read.add(name);
    return this.values[name] !== undefined && this.values[name] !== null;
  }

  /** Notes an option that makes no difference to the result. */
  ignore(...names: string[]): void {
    for (const name of names) this.read.add(name);
  }

  get(name: string): unknown {
    this.read.add(name);
    return this.values[name] ?? undefined;
  }

  number(name: string, byDefault?: number): number {
    const value = this.get(name) ?? byDefault;
    if (isGoldenNumber(value)) return numberOf(value);
    return this.wrong(name, "a number");
  }

  boolean(name: string, byDefault: boolean): boolean {
    const value = this.get(name) ?? byDefault;
    if (typeof value === "boolean") return value;
    return value === 0 || value === 1 ? value === 1 : this.wrong(name, "a boolean");
  }

  string(name: string, byDefault: string): string {
    const value = this.get(name) ?? byDefault;
    return typeof value === "string" ? value : this.wrong(name, "a string");
  }

  /** One number or several, as a list. */
  numbers(name: string): number[] {
    const value = this.get(name);
    const list: unknown[] = Array.isArray(value) ? value : [value];
    return list.every(isGoldenNumber)
      ? list.map(numberOf)
      : this.wrong(name, "a number or a list of numbers");
  }

  /** The numbers in a tensor among the case's inputs. */
  elementsOf(x: Tensor): number[] {
    return Array.from(this.lab.elementsOf(x));
  }

  tensor(name: string): Tensor | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    return isGoldenTensor(value) ? this.lab.tensor(value) : this.wrong(name, "a tensor");
  }

  /** Throws if an option was given that nobody asked for. */
  finish(): void {
    const left = Object.keys(this.values).filter(
      (name) => !this.read.has(name) && this.values[name] !== null,
    );
    if (left.length > 0) unsupported(`${this.owner} with ${left.join(", ")}`);
  }

  private wrong(name: string, expected: string): never {
    const value = this.values[name];
    return unsupported(
      `${this.owner} with ${name} ${value === undefined ? "missing" : JSON.stringify(value)} (expected ${expected})`,
    );
  }
}
