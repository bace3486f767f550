import {
  type Backend,
  type FlatTree,
  fail,
  flattenTree,
  formatPath,
  isScalar,
  type Path,
  type Scalar,
} from "@gradus/core";
import { defaultDevice } from "../device.js";
import { asGradusTensor, type GradusTensor } from "../gradus-tensor.js";

/** The arguments of one call, taken apart. */
export class CallArguments {
  readonly flat: FlatTree<readonly unknown[]>;
  readonly tensors: GradusTensor[] = [];
  readonly tensorPaths: Path[] = [];
  readonly scalars: Scalar[] = [];
  readonly device: Backend;
  /** Positions among `tensors` of those that are donated. */
  readonly donated = new Set<number>();

  constructor(args: readonly unknown[], donate: ReadonlySet<number>) {
    this.flat = flattenTree(args);
    this.flat.leaves.forEach((leaf, i) => {
      if (isScalar(leaf)) {
        this.scalars.push(leaf);
        return;
      }
      const path = this.flat.paths[i] as Path;
      if (donate.has(Number(path[0]))) this.donated.add(this.tensors.length);
      this.tensors.push(asGradusTensor(`compile: argument ${formatPath(path)}`, leaf));
      this.tensorPaths.push(path);
    });
    this.device = this.tensors[0]?.device ?? defaultDevice();
    for (const x of this.tensors) {
      if (x.device !== this.device) {
        fail(
          "device-mismatch",
          `compile: arguments on ${this.device.name} and ${x.device.name}. Move one: await x.to(device)`,
        );
      }
    }
  }

  /** Equal for calls that one program serves. */
  get key(): string {
    const avals = this.tensors.map((x) => `${x.dtype}${x.shape.join("x")}`).join();
    return `${deviceId(this.device)} ${this.flat.structure} ${avals}`;
  }
}

const deviceIds = new WeakMap<Backend, number>();
let nextDeviceId = 0;
function deviceId(device: Backend): number {
  let id = deviceIds.get(device);
  if (id === undefined) {
    id = nextDeviceId++;
    deviceIds.set(device, id);
  }
  return id;
}
