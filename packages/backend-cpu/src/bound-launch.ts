import { type Buffer, checkAliases, type Launch } from "@gradus/core";
import type { Compiled } from "./compiled.js";
import { checkCount, checkSizes, failedCheck } from "./launch-check.js";
import type { Machine } from "./machine.js";
import type { CpuBuffer } from "./memory/cpu-buffer.js";
import { type Phase, paramsAt } from "./program.js";
import type { SplitPhase } from "./threads/pool.js";

/** A phase for the sizes of a launch. */
interface Step {
  readonly phase: SplitPhase;
  readonly parts: number;
}

/**
 * A kernel with the sizes and buffers of its last call, so that a call like it checks and computes nothing anew, and
 * allocates nothing. It does not hold the buffers.
 */
export class BoundLaunch {
  /** The buffers of the last call, by the ids that they had. */
  private readonly ids: number[];
  private readonly sizes: number[] = [];
  private steps: Step[] = [];
  private scratchBytes = 0;
  private isResolved = false;
  private paramsAt = 0;

  constructor(
    private readonly machine: Machine,
    readonly compiled: Compiled,
  ) {
    const { inputs, outputs } = compiled.kernel;
    this.ids = new Array<number>(inputs.length + outputs.length).fill(0);
  }

  /** Runs the kernel. Returns the message of a check that failed. */
  run({ buffers, sizes, params }: Launch): string | undefined {
    const { compiled, machine, ids } = this;
    const { residency, memory } = machine;
    const { kernel, program } = compiled;
    checkCount(kernel, "buffers", buffers, ids.length);
    checkCount(kernel, "params", params, kernel.params.length);
    if (this.areNew(sizes)) this.resize(sizes);
    for (let k = 0; k < ids.length; k++) {
      if ((buffers[k] as CpuBuffer).id !== ids[k]) {
        this.check(buffers);
        break;
      }
    }
    residency.beginLaunch();
    for (let k = 0; k < ids.length; k++) residency.place(buffers[k] as CpuBuffer);
    for (let k = kernel.inputs.length; k < ids.length; k++) {
      residency.wrote(buffers[k] as CpuBuffer, compiled.label);
    }
    if (program.kind === "host") {
      return program.run({
        memory,
        addresses: buffers.map((buffer) => (buffer as CpuBuffer).address),
        bytes: buffers.map((buffer) => buffer.bytes),
        sizes,
        params,
      });
    }
    const scratch = machine.scratch(this.scratchBytes);
    const args = machine.arguments(this.paramsAt + 8 * params.length);
    // After all that may make the memory grow.
    const { words, doubles } = memory;
    let at = args / 4;
    for (let k = 0; k < buffers.length; k++) words[at++] = (buffers[k] as CpuBuffer).address;
    for (let k = 0; k < sizes.length; k++) words[at++] = sizes[k] as number;
    words[at] = scratch;
    at = (args + this.paramsAt) / 8;
    for (let k = 0; k < params.length; k++) doubles[at++] = params[k] as number;
    let failed = 0;
    for (let k = 0; k < this.steps.length; k++) {
      const { phase, parts } = this.steps[k] as Step;
      const { pool } = machine;
      const number = parts === 1 || pool === undefined ? phase.run(args, 0, 1) : pool.run(phase, args, parts);
      failed = Math.max(failed, number);
    }
    return failedCheck(kernel, failed);
  }

  private areNew(sizes: readonly number[]): boolean {
    const known = this.sizes;
    if (sizes.length !== known.length || !this.isResolved) return true;
    for (let k = 0; k < known.length; k++) if (sizes[k] !== known[k]) return true;
    return false;
  }

  private resize(sizes: readonly number[]): void {
    const { machine, compiled, ids } = this;
    const { kernel, program, axes } = compiled;
    checkSizes(kernel, axes, sizes);
    // Until all of it is known, nothing is.
    this.isResolved = false;
    if (program.kind === "phases") {
      this.steps = program.phases(sizes).map((phase) => this.stepOf(phase, sizes));
      this.scratchBytes = program.scratch?.(sizes, machine.threads) ?? 0;
    }
    this.sizes.splice(0, Number.POSITIVE_INFINITY, ...sizes);
    this.paramsAt = paramsAt(ids.length, sizes.length);
    this.isResolved = true;
  }

  private stepOf({ module, entry, parts }: Phase, sizes: readonly number[]): Step {
    const { loader, threads } = this.machine;
    const most = threads === 1 ? 1 : Math.min(parts(sizes), threads);
    if (most > 1) return { phase: loader.loadForAll(module, entry), parts: most };
    return { phase: { run: loader.load(module, entry), id: 0, record: 0 }, parts: 1 };
  }

  private check(buffers: readonly Buffer[]): void {
    const { compiled, ids } = this;
    buffers.forEach((buffer, k) => {
      ids[k] = compiled.owner.own(buffer, `kernel "${compiled.kernel.name}"`).id;
    });
    try {
      checkAliases(compiled.kernel, buffers);
    } catch (error) {
      ids.fill(0);
      throw error;
    }
  }
}
