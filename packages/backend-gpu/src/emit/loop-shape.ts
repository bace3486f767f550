import type { Fours } from "../dense-buffers.js";

/** Threads of a workgroup: of a shader whose threads share points, and of one whose threads have one each. */
export const PARALLEL_THREADS = 256;
export const SERIAL_THREADS = 64;

/** How a loop kernel is laid out on threads. */
export interface LoopShape {
  /** Whether several threads work on a grid point. How many is an argument, so that one shader serves all sizes. */
  readonly isParallel: boolean;
  /**
   * Undefined: the shader computes everything. Else stages are cut into chunks, which workgroups share: pass i leaves in scratch
   * memory the parts of the stages that `stageLevels` counts as i, and the last one writes.
   */
  readonly pass?: number;
  /** Whether threads that share points are joined by subgroups: only in the parallel layout. */
  readonly subgroups: boolean;
  /** What is loaded and stored four elements at a time. */
  readonly fours: Fours;
  /**
   * How many steps a thread takes at most through the loop of the first stage, if they are so few that it may keep what it loads
   * there: only in the parallel layout, and without passes.
   */
  readonly held?: number;
}
