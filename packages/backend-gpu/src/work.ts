import type { NativeKernel } from "@gradus/core";
import type { Shader } from "./emit/shader.js";
import type { Pipeline } from "./pipelines.js";

/** Part of the scratch memory, in bytes. */
export interface Range {
  readonly at: number;
  readonly bytes: number;
}

/** One dispatch of a launch. */
export interface Dispatch {
  readonly kind: "dispatch";
  readonly pipeline: Pipeline;
  readonly workgroups: number;
  /** Its arguments; where they hold the launch's params, from `paramsAt` on, they are filled in on each run. */
  readonly words: readonly number[];
  readonly paramsAt?: number;
  /** Whether its checks need the number of the launch, in the word for errors. */
  readonly checks?: boolean;
  /** The scratch memory that it binds, if it does. */
  readonly scratch?: Range;
  /** Operations on numbers, for profiles. */
  readonly operations: number;
  /** Other ways to do the same. */
  readonly choice?: Choice;
}

/** Ways to do the same work, of which timing on the device shows the fastest. */
export interface Choice {
  /** What the one that was chosen is kept under. */
  readonly key: string;
  /** The first is the one that sizes alone suggest. */
  readonly ways: readonly { readonly name: string; make(): Way }[];
}

export interface Way {
  readonly pipeline: Pipeline;
  readonly workgroups: number;
}

/** A copy between buffers of the launch, or between one and scratch memory. */
export interface Copy {
  readonly kind: "copy";
  readonly from: number | "scratch";
  readonly fromAt: number;
  readonly to: number | "scratch";
  readonly toAt: number;
  readonly bytes: number;
}

/** A native that the host computes. */
export interface HostWork {
  readonly kind: "host";
  readonly kernel: NativeKernel;
  readonly sizes: readonly number[];
}

export type Work = Dispatch | Copy | HostWork;

/** How a kernel is run: what a launch of it does. */
export interface GpuProgram {
  /** The work of a launch. `bytes` are the sizes of its buffers. */
  plan(sizes: readonly number[], params: readonly number[], bytes: readonly number[]): readonly Work[];
  /** The shaders that launches of these sizes need. */
  shadersFor(sizes: readonly number[]): readonly Shader[];
  /** Whether the host computes launches of these sizes. */
  isOnHost?(sizes: readonly number[]): boolean;
  /** The whole numbers among the params, strides, that decide what is planned. The others may change with every launch. */
  readonly deciding: readonly number[];
  /** Messages of its checks, in the order of their numbers. */
  readonly messages: readonly string[];
}
