import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

/** What a library's process answers. */
export interface Answer {
  readonly ms?: number;
  /** Floating-point operations of one run, where only the library knows. */
  readonly flops?: number;
  readonly absent?: boolean;
  readonly error?: string;
}

/** A library in a process of its own, so that none is disturbed by another's memory, threads or garbage. */
export class Contestant {
  private readonly lines: Interface;
  private waiting: ((answer: Answer) => void) | undefined;
  private hasEnded = false;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    this.lines = createInterface(child.stdout as NodeJS.ReadableStream);
    this.lines.on("line", (line) => this.settle(JSON.parse(line)));
    const end = (): void => {
      this.hasEnded = true;
      this.settle({ error: `the process of ${name} ended` });
    };
    child.on("exit", end);
    child.on("error", end);
    child.stdin?.on("error", end);
  }

  /** Starts a library's process; undefined where this machine does not have the library. */
  static start(name: string, threads: number): Contestant | undefined {
    const command = commandOf(name);
    if (command === undefined) return undefined;
    const [program, ...args] = command;
    const child = spawn(program, [...args, String(threads)], {
      stdio: ["pipe", "pipe", "ignore"],
      env: environment(),
    });
    return new Contestant(name, child);
  }

  /** Measures a workload, for about `budget` milliseconds; for 0, a single run. */
  measure(workload: string, budget: number): Promise<Answer> {
    if (this.hasEnded) return Promise.resolve({ error: `the process of ${this.name} ended` });
    return new Promise((resolve) => {
      this.waiting = resolve;
      this.child.stdin?.write(`${JSON.stringify({ workload, budget })}\n`);
    });
  }

  stop(): void {
    this.lines.close();
    this.child.kill();
  }

  private settle(answer: Answer): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.(answer);
  }
}

function commandOf(name: string): readonly [program: string, ...args: string[]] | undefined {
  if (name !== "torch")
    return [process.execPath, fileURLToPath(new URL("./library.js", import.meta.url)), name];
  const python = ["python3", "/usr/bin/python3"].find(canImportTorch);
  return python === undefined
    ? undefined
    : [python, fileURLToPath(new URL("../src/libraries/pytorch.py", import.meta.url))];
}

function canImportTorch(python: string): boolean {
  try {
    execFileSync(python, ["-c", "import torch"], { stdio: "ignore", env: environment() });
    return true;
  } catch {
    return false;
  }
}

/** Without what a machine sets for its own OpenBLAS: it would slow PyTorch's down. */
function environment(): NodeJS.ProcessEnv {
  const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...rest } = process.env;
  return rest;
}
