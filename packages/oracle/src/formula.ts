import { UsageError } from "./schema/values.js";

export type Variables = Readonly<Record<string, number>>;

/** What a formula means, given its variables. */
export type Formula = (variables: Variables) => number;

type Operator = (a: number, b: number) => number;

const functions: Readonly<Record<string, (...values: number[]) => number>> = {
  min: Math.min,
  max: Math.max,
  floor: Math.floor,
};

/**
 * Parses arithmetic as golden files hold it: numbers, variables, `+ - * / **`, parentheses and the functions `min`,
 * `max` and `floor`. Nothing else is understood, and nothing is executed.
 */
export function parseFormula(text: string): Formula {
  const tokens = tokenize(text);
  let next = 0;
  const peek = (): string | undefined => tokens[next];
  const expect = (token: string): void => {
    if (tokens[next++] !== token) throw wrong(text, `expected ${token}`);
  };

  /** Operands joined by left-associative operators. */
  const chain = (operators: Readonly<Record<string, Operator>>, operand: () => Formula): Formula => {
    let left = operand();
    for (let token = peek(); token !== undefined && Object.hasOwn(operators, token); token = peek()) {
      next++;
      const [a, b, apply] = [left, operand(), operators[token] as Operator];
      left = (variables) => apply(a(variables), b(variables));
    }
    return left;
  };

  const sum = (): Formula => chain({ "+": (a, b) => a + b, "-": (a, b) => a - b }, product);
  const product = (): Formula => chain({ "*": (a, b) => a * b, "/": (a, b) => a / b }, signed);
  const signed = (): Formula => {
    if (peek() === "+") next++;
    if (peek() !== "-") return power();
    next++;
    const operand = signed();
    return (variables) => -operand(variables);
  };
  /** Right-associative, and stronger than a sign before it, as in Python. */
  const power = (): Formula => {
    const base = atom();
    if (peek() !== "**") return base;
    next++;
    const exponent = signed();
    return (variables) => base(variables) ** exponent(variables);
  };
  const atom = (): Formula => {
    const token = tokens[next++];
    if (token === undefined) throw wrong(text, "it ends too early");
    if (token === "(") {
      const inside = sum();
      expect(")");
      return inside;
    }
    if (/^[\d.]/.test(token)) return () => Number(token);
    if (!/^[A-Za-z_]/.test(token)) throw wrong(text, `unexpected ${token}`);
    if (peek() !== "(") return (variables) => variables[token] ?? fail(text, `${token} is unknown`);
    if (!Object.hasOwn(functions, token)) throw wrong(text, `the function ${token} is unknown`);
    next++;
    const args = [sum()];
    while (peek() === ",") {
      next++;
      args.push(sum());
    }
    expect(")");
    return (variables) =>
      (functions[token] as Operator)(...(args.map((arg) => arg(variables)) as [number, number]));
  };

  const formula = sum();
  if (next < tokens.length) throw wrong(text, `unexpected ${tokens[next]}`);
  return formula;
}

function tokenize(text: string): string[] {
  const tokens =
    text.match(/\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|\*\*|[^\s]/g) ?? [];
  const unknown = tokens.find((token) => !/^[\w.]+|^[-+*/(),]+$/.test(token));
  if (unknown !== undefined) throw wrong(text, `unexpected ${unknown}`);
  return tokens;
}

function fail(text: string, problem: string): never {
  throw wrong(text, problem);
}

function wrong(text: string, problem: string): UsageError {
  return new UsageError(`formula ${JSON.stringify(text)}: ${problem}`);
}
