import { type Aval, postOrder } from "@gradus/core";
import type { KernelNode, Operand } from "../lower-trace.js";
import { beside } from "./beside.js";
import { type Cluster, clusterOf, readsOf, rootsOf } from "./cluster.js";
import { inline } from "./inline.js";
import { join } from "./join.js";
import { nodeOf } from "./node-of.js";

/** A kernel may become as large as this: more would not fit registers, nor the patience of a shader compiler. */
const MAX_EXPRESSIONS = 1500;
/** So many operations are always fewer. */
const FEW_NAMES = 12;

export interface FuseLimits {
  /** How many buffers a kernel may bind. */
  readonly maxBuffers: number;
}

/** One kernel to be: nodes that stay as they are, or a cluster. */
interface Group {
  /** Positions of its nodes in the list; the last one says when it runs. */
  readonly members: number[];
  /** Undefined: a single node that cannot be joined. */
  cluster: Cluster | undefined;
  /** Whether it is more than its one node. */
  isJoined: boolean;
}

/**
 * Joins operations into fewer kernels, so that values between them need not go through memory. In order: each operation
 * is joined with those that make what it reads, where `join` or `inline` can and nothing would have to run both before and
 * after the whole.
 *
 * @param results values that somebody wants, beside those that other nodes read
 */
export function fuse(
  nodes: readonly KernelNode[],
  results: ReadonlySet<number>,
  limits: FuseLimits,
): KernelNode[] {
  return new Fuser(nodes, results, limits).run();
}

class Fuser {
  private readonly groups: Group[] = [];
  private readonly groupOf: Group[] = [];
  private readonly producerOf = new Map<number, number>();
  private readonly readers = new Map<number, number[]>();
  private readonly avals = new Map<number, Aval>();

  constructor(
    private readonly nodes: readonly KernelNode[],
    private readonly results: ReadonlySet<number>,
    private readonly limits: FuseLimits,
  ) {
    nodes.forEach((node, i) => {
      node.outputs.forEach((root, k) => {
        this.producerOf.set(root, i);
        this.avals.set(root, node.avals[k] as Aval);
      });
      for (const root of new Set(node.operands.map((x) => x.root))) {
        const list = this.readers.get(root);
        if (list === undefined) this.readers.set(root, [i]);
        else list.push(i);
      }
    });
  }

  run(): KernelNode[] {
    this.nodes.forEach((node, i) => {
      const group: Group = {
        members: [i],
        cluster: clusterOf(node, i, (root) => this.avals.get(root)),
        isJoined: false,
      };
      this.groups.push(group);
      this.groupOf[i] = group;
      this.grow(group);
    });
    this.joinEnds();
    return this.inOrder().map((group) => {
      if (group.cluster === undefined || !group.isJoined)
        return this.nodes[group.members[0] as number] as KernelNode;
      return nodeOf(group.cluster, (root) => this.isWanted(root, group));
    });
  }

  /** Joins a group with its producers until nothing changes. */
  private grow(group: Group): void {
    for (let changed = true; changed; ) {
      changed = false;
      // The latest first: what it reads is likelier to be needed by it alone.
      for (const producer of this.producersOf(group).sort((a, b) => last(b) - last(a))) {
        changed = this.tryJoin(producer, group) || this.tryInline(producer, group);
        if (changed) break;
      }
    }
  }

  private tryJoin(producer: Group, group: Group): boolean {
    if (producer.cluster === undefined || group.cluster === undefined) return false;
    if (group.cluster.contraction !== undefined || this.hasDetour(producer, group)) return false;
    const joined = join(producer.cluster, group.cluster);
    if (joined === undefined || !this.fits(joined, [producer, group])) return false;
    this.absorb(producer, group, joined);
    return true;
  }

  /** Makes a group compute what another one did, too. */
  private absorb(other: Group, group: Group, joined: Cluster): void {
    group.cluster = joined;
    group.isJoined = true;
    group.members.push(...other.members);
    group.members.sort((a, b) => a - b);
    for (const i of other.members) this.groupOf[i] = group;
    this.groups.splice(this.groups.indexOf(other), 1);
  }

  private tryInline(producer: Group, group: Group): boolean {
    if (producer.cluster === undefined || group.cluster === undefined) return false;
    const wanted = [...producer.cluster.values.keys()].some(
      (root) => this.results.has(root) || this.readersOf(root).some((reader) => reader !== group),
    );
    const inlined = inline(producer.cluster, group.cluster, !wanted);
    if (inlined === undefined || !this.fits(inlined, [group])) return false;
    group.cluster = inlined;
    group.isJoined = true;
    return true;
  }

  /**
   * Joins maps of the same points side by side, if they make nothing but results: nobody waits for those, and they need memory
   * to the end anyway. So one kernel chooses, say, between the old and the new of a parameter and its two moments.
   */
  private joinEnds(): void {
    const ends = this.groups.filter((group) => this.isEnd(group)).sort((a, b) => last(a) - last(b));
    const kept: Group[] = [];
    for (const group of ends) {
      const joins = kept.some((other) => {
        const joined = beside(other.cluster as Cluster, group.cluster as Cluster);
        if (joined === undefined || !this.fits(joined, [other, group])) return false;
        this.absorb(group, other, joined);
        return true;
      });
      if (!joins) kept.push(group);
    }
  }

  private isEnd(group: Group): boolean {
    if (group.cluster === undefined) return false;
    const roots = [...group.cluster.values.keys()];
    // What all readers compute for themselves is nobody's any more.
    const isNeeded = roots.some((root) => this.results.has(root));
    return isNeeded && roots.every((root) => this.readersOf(root).length === 0);
  }

  private fits(cluster: Cluster, groups: readonly Group[]): boolean {
    const outputs = [...cluster.values].filter(([root]) => this.isWanted(root, ...groups));
    const room = this.limits.maxBuffers - outputs.length;
    if (cluster.operands.length > room) {
      // Some may be left of what is not read any more.
      const reads = readsOf({ ...cluster, values: new Map(outputs) });
      if (new Set(reads.map((e) => e.index)).size > room) return false;
    }
    return cluster.names.size <= FEW_NAMES || postOrder(rootsOf(cluster)).length <= MAX_EXPRESSIONS;
  }

  /** Whether a value is needed by anything but these groups. */
  private isWanted(root: number, ...groups: readonly Group[]): boolean {
    return (
      this.results.has(root) ||
      this.readersOf(root).some((reader) => reader === undefined || !groups.includes(reader))
    );
  }

  /**
   * The groups that read a value, as they are now: one that has computed another's value for itself reads what that was made of.
   * Nodes that were not reached yet count as undefined.
   */
  private readersOf(root: number): (Group | undefined)[] {
    const later = (this.readers.get(root) ?? []).filter((i) => this.groupOf[i] === undefined);
    const now = this.groups.filter((group) => this.operandsOf(group).some((x) => x.root === root));
    return [...later.map(() => undefined), ...now];
  }

  private operandsOf(group: Group): readonly Operand[] {
    return group.cluster?.operands ?? (this.nodes[group.members[0] as number] as KernelNode).operands;
  }

  private producersOf(group: Group): Group[] {
    const found = new Set<Group>();
    for (const { root } of this.operandsOf(group)) {
      const i = this.producerOf.get(root);
      const producer = i === undefined ? undefined : this.groupOf[i];
      if (producer !== undefined && producer !== group) found.add(producer);
    }
    return [...found];
  }

  /** Whether the group needs something else that needs the producer: joined, they would have to wait for themselves. */
  private hasDetour(producer: Group, group: Group): boolean {
    const seen = new Set<Group>([producer, group]);
    const pending = this.producersOf(group).filter((other) => other !== producer);
    while (pending.length > 0) {
      const other = pending.pop() as Group;
      if (seen.has(other)) continue;
      seen.add(other);
      const needs = this.producersOf(other);
      if (needs.includes(producer)) return true;
      pending.push(...needs);
    }
    return false;
  }

  /** The groups that are needed, each after those whose values it reads, otherwise as late as its last node. */
  private inOrder(): Group[] {
    const order: Group[] = [];
    const entered = new Set<Group>();
    const left = new Set<Group>();
    // A stack of its own: programs may be longer than what calls may nest.
    const pending = this.groups
      .filter((group) =>
        group.members.some((i) => this.nodes[i]?.outputs.some((root) => this.results.has(root))),
      )
      .sort((a, b) => last(b) - last(a));
    while (pending.length > 0) {
      const group = pending.at(-1) as Group;
      if (entered.has(group)) {
        pending.pop();
        if (!left.has(group)) order.push(group);
        left.add(group);
        continue;
      }
      entered.add(group);
      const producers = this.producersOf(group).sort((a, b) => last(b) - last(a));
      pending.push(...producers.filter((producer) => !entered.has(producer)));
    }
    return order;
  }
}

function last(group: Group): number {
  return group.members.at(-1) as number;
}
