import {
  type Buffer,
  castNumber,
  checkLaunch,
  type DType,
  fail,
  type Kernel,
  type Launch,
} from "@gradus/core";
import type { ArgumentSlots, Slots } from "./argument-slots.js";
import type { Commands } from "./commands.js";
import { Compiled } from "./compiled.js";
import { ARGUMENTS } from "./emit/bindings.js";
import { GpuBuffer } from "./gpu-buffer.js";
import type { Resource } from "./pool.js";
import type { Trial } from "./tuner.js";
import type { Dispatch, Range, Work } from "./work.js";

/** A program whose launches were checked and planned, and whose bind groups are made: it only needs its numbers. */
export interface Prepared {
  readonly key: readonly number[];
  readonly steps: readonly Step[];
  readonly slots: Slots;
  /** All arguments, as they are on the device unless `isStale`. */
  readonly words: Uint32Array;
  isStale: boolean;
  /** The batch that used its arguments last. */
  lastUse: number;
  /** Whether all its shaders are known to be compiled. */
  isCompiled: boolean;
  /** How many runs of it wait for their turn. */
  queued: number;
  /** Whether it is known no longer, and its slots go to others when no run of it waits. */
  isForgotten: boolean;
  /** Where each launch's params are. */
  readonly params: readonly {
    readonly launch: number;
    readonly dtypes: readonly DType[];
    readonly at: number;
  }[];
  /** Where a launch's checks get their number. */
  readonly checks: readonly { readonly launch: number; readonly at: number }[];
  /** Its dispatches that could be done in other ways. */
  readonly trials: readonly Trial[];
  /** The scratch memory that its bind groups name. */
  readonly scratch: Resource | undefined;
}

export type Step =
  | {
      readonly kind: "dispatch";
      readonly dispatch: Dispatch;
      readonly launch: number;
      readonly kernel: string;
      readonly group: GPUBindGroup;
      readonly offset: number;
      readonly resources: readonly Resource[];
      /** Bytes of the buffers that it binds. */
      readonly bytes: number;
    }
  | {
      readonly kind: "copy";
      readonly from: Resource;
      readonly fromAt: number;
      readonly to: Resource;
      readonly toAt: number;
      readonly bytes: number;
    }
  | {
      readonly kind: "host";
      readonly work: Extract<Work, { kind: "host" }>;
      readonly buffers: readonly Resource[];
      readonly lengths: readonly number[];
    };

const MAX_PROGRAMS = 512;
const MAX_GROUPS = 4096;

/** What programs need of the device. */
export interface ProgramDevice {
  readonly gpu: GPUDevice;
  readonly owner: object;
  readonly commands: Commands;
  readonly slots: ArgumentSlots;
  readonly checks: GPUBuffer;
  /** Scratch memory of at least so many bytes, which all programs share: they run one after another. */
  scratch(bytes: number): Resource;
  currentScratch(): Resource | undefined;
}

/** Checks programs and plans them, and recognises those that come again. */
export class Programs {
  private readonly known = new Map<number, Prepared>();
  private readonly groups = new Map<string, GPUBindGroup>();
  private key: number[] = [];

  constructor(private readonly device: ProgramDevice) {}

  prepare(program: readonly Launch[]): Prepared {
    const hash = this.identify(program);
    const found = this.known.get(hash);
    if (
      found !== undefined &&
      sameNumbers(found.key, this.key) &&
      (found.scratch === undefined || found.scratch === this.device.currentScratch())
    ) {
      if (this.known.size > MAX_PROGRAMS / 2) {
        this.known.delete(hash);
        this.known.set(hash, found);
      }
      this.fill(found, program);
      return found;
    }
    if (found !== undefined) this.forget(hash, found);
    program.forEach(checkLaunch);
    const made = this.plan(program, [...this.key]);
    this.known.set(hash, made);
    if (this.known.size > MAX_PROGRAMS) {
      const [oldest, prepared] = this.known.entries().next().value as [number, Prepared];
      this.forget(oldest, prepared);
    }
    this.fill(made, program);
    return made;
  }

  /** Programs that come again are planned anew. */
  forgetAll(): void {
    for (const [hash, prepared] of [...this.known]) this.forget(hash, prepared);
  }

  private forget(hash: number, prepared: Prepared): void {
    this.known.delete(hash);
    prepared.isForgotten = true;
    this.release(prepared);
  }

  /** Gives back what a forgotten program has, unless runs of it wait. */
  release(prepared: Prepared): void {
    if (!prepared.isForgotten || prepared.queued > 0) return;
    // What is recorded reads the slots before others fill them.
    if (prepared.lastUse === this.device.commands.batch) this.device.commands.flush();
    this.device.slots.give(prepared.slots);
  }

  /** Puts together what tells this program from others in `key`, and returns its hash. */
  private identify(program: readonly Launch[]): number {
    const { key } = this;
    key.length = 0;
    for (const { executable, buffers, sizes, params } of program) {
      if (!(executable instanceof Compiled) || executable.owner !== this.device.owner) {
        fail("device-mismatch", `run: kernel "${executable.kernel.name}" was compiled by another device`);
      }
      key.push(executable.id, buffers.length, sizes.length, params.length);
      for (const buffer of buffers) {
        const { resource, bytes } = this.own(buffer, executable.kernel);
        key.push(resource.id, bytes);
      }
      for (const size of sizes) key.push(size);
      for (const i of executable.program.deciding) key.push(params[i] as number);
    }
    let hash = 0;
    for (const part of key) hash = (Math.imul(hash, 31) + Math.trunc(part)) | 0;
    return hash;
  }

  private own(buffer: Buffer, { name }: Kernel): GpuBuffer {
    if (!(buffer instanceof GpuBuffer) || buffer.owner !== this.device.owner) {
      fail("device-mismatch", `kernel "${name}": the buffer belongs to another device`);
    }
    if (buffer.isReleased) fail("disposed", `kernel "${name}": the buffer was freed before`);
    return buffer;
  }

  private plan(program: readonly Launch[], key: readonly number[]): Prepared {
    const { device } = this;
    const planned = program.map(({ executable, buffers, sizes, params }) =>
      (executable as Compiled).program.plan(
        sizes,
        params,
        buffers.map((buffer) => buffer.bytes),
      ),
    );
    const all = planned.flat();
    const slotsOf = (work: Work): number =>
      work.kind === "dispatch" ? Math.ceil((4 * work.words.length) / device.slots.bytes) : 0;
    const count = all.reduce((sum, work) => sum + slotsOf(work), 0);
    const slots = device.slots.take(Math.max(1, count));
    const scratchBytes = Math.max(0, ...all.map(scratchNeeded));
    const scratch = scratchBytes > 0 ? device.scratch(scratchBytes) : undefined;
    const words = new Uint32Array((slots.count * device.slots.bytes) / 4);
    const params: Prepared["params"][number][] = [];
    const checks: Prepared["checks"][number][] = [];
    const trials: Trial[] = [];
    const steps: Step[] = [];
    let slot = 0;
    program.forEach(({ executable, buffers }, launch) => {
      const { kernel } = executable;
      const resources = buffers.map((buffer) => (buffer as GpuBuffer).resource);
      for (const work of planned[launch] as readonly Work[]) {
        if (work.kind === "host") {
          steps.push({ kind: "host", work, buffers: resources, lengths: buffers.map(({ bytes }) => bytes) });
          continue;
        }
        if (work.kind === "copy") {
          const at = (place: number | "scratch"): Resource =>
            (place === "scratch" ? scratch : resources[place]) as Resource;
          steps.push({ ...work, from: at(work.from), to: at(work.to) });
          continue;
        }
        const at = (slot * device.slots.bytes) / 4;
        words.set(work.words, at);
        if (work.paramsAt !== undefined && kernel.params.length > 0) {
          params.push({ launch, dtypes: kernel.params, at: at + work.paramsAt });
        }
        if (work.checks === true) checks.push({ launch, at: at + ARGUMENTS.errors });
        if (work.choice !== undefined) {
          trials.push({
            choice: work.choice,
            bindings: work.pipeline.shader.bindings,
            bytes: boundRanges(work, buffers).map(({ bytes }) => bytes),
            words: words.subarray(at, at + Math.max(work.words.length, work.pipeline.shader.words)),
          });
        }
        const bound = boundResources(work, resources, scratch);
        const group = this.group(work, bound, buffers, slots, scratch);
        steps.push({
          kind: "dispatch",
          dispatch: work,
          launch,
          kernel: kernel.name,
          group,
          offset: slots.at + slot * device.slots.bytes,
          resources: bound,
          bytes: work.pipeline.shader.bindings.reduce(
            (sum, binding) =>
              sum + (binding.kind === "buffer" ? (buffers[binding.index] as Buffer).bytes : 0),
            0,
          ),
        });
        slot += slotsOf(work);
      }
    });
    return {
      key,
      steps,
      slots,
      words,
      isStale: true,
      lastUse: -1,
      isCompiled: false,
      queued: 0,
      isForgotten: false,
      params,
      checks,
      trials,
      scratch,
    };
  }

  /** The bind group of a dispatch: kept, since launches on the same memory come again. */
  private group(
    work: Dispatch,
    bound: readonly Resource[],
    buffers: readonly Buffer[],
    slots: Slots,
    scratch: Resource | undefined,
  ): GPUBindGroup {
    const { device } = this;
    const { pipeline, words } = work;
    const { layout, shader } = pipeline;
    const argumentBytes = Math.ceil(Math.max(shader.words, words.length) / 4) * 16;
    const ranges = boundRanges(work, buffers);
    const places = ranges.map(({ at, bytes }, i) => `${bound[i]?.id ?? 0}+${at}:${bytes}`);
    const key = `${layout.key} ${slots.bufferId}:${argumentBytes} ${places.join()}`;
    const known = this.groups.get(key);
    if (known !== undefined) return known;
    const entries = shader.bindings.map((binding, i): GPUBindGroupEntry => {
      const { at, bytes } = ranges[i] as (typeof ranges)[0];
      const buffer =
        binding.kind === "errors"
          ? device.checks
          : binding.kind === "scratch"
            ? (scratch as Resource).buffer
            : (bound[i] as Resource).buffer;
      // Whole vectors, which memory has room for.
      const size = binding.kind === "errors" ? 4 : Math.max(16, Math.ceil(bytes / 16) * 16);
      return { binding: i + 1, resource: { buffer, offset: at, size } };
    });
    const group = device.gpu.createBindGroup({
      label: pipeline.label,
      layout: layout.group,
      entries: [{ binding: 0, resource: { buffer: slots.buffer, size: argumentBytes } }, ...entries],
    });
    this.groups.set(key, group);
    if (this.groups.size > MAX_GROUPS) this.groups.delete(this.groups.keys().next().value as string);
    return group;
  }

  /** Puts the launches' params into the arguments. */
  private fill(prepared: Prepared, program: readonly Launch[]): void {
    const { words } = prepared;
    for (const { launch, dtypes, at } of prepared.params) {
      const { params } = program[launch] as Launch;
      for (let i = 0; i < dtypes.length; i++) {
        const word = wordOf(params[i] as number, dtypes[i] as DType);
        if (words[at + i] === word) continue;
        words[at + i] = word;
        prepared.isStale = true;
      }
    }
  }
}

const converted = new Float32Array(1);
const convertedWord = new Uint32Array(converted.buffer);

/** A number as a word of arguments. */
function wordOf(value: number, dtype: DType): number {
  if (dtype !== "f32") return castNumber(value, dtype) >>> 0;
  converted[0] = value;
  return convertedWord[0] as number;
}

function scratchNeeded(work: Work): number {
  if (work.kind === "dispatch") return work.scratch === undefined ? 0 : work.scratch.at + work.scratch.bytes;
  if (work.kind === "host") return 0;
  return Math.max(
    work.from === "scratch" ? work.fromAt + work.bytes : 0,
    work.to === "scratch" ? work.toAt + work.bytes : 0,
  );
}

/** The part of its memory that each binding takes. */
function boundRanges({ pipeline, scratch }: Dispatch, buffers: readonly Buffer[]): Range[] {
  return pipeline.shader.bindings.map((binding) => {
    if (binding.kind === "buffer") return { at: 0, bytes: (buffers[binding.index] as Buffer).bytes };
    return binding.kind === "scratch" && scratch !== undefined ? scratch : { at: 0, bytes: 4 };
  });
}

/** The memory of each binding; none for the error word. */
function boundResources(
  { pipeline }: Dispatch,
  resources: readonly Resource[],
  scratch: Resource | undefined,
): Resource[] {
  return pipeline.shader.bindings.flatMap((binding) => {
    if (binding.kind === "errors") return [];
    return (binding.kind === "scratch" ? scratch : resources[binding.index]) as Resource;
  });
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
