import { cpu } from "@gradus/backend-cpu";
import { gpu } from "@gradus/backend-gpu";
import { webgl } from "@gradus/backend-webgl";
import type { Backend, Tensor } from "@gradus/core";
import { setDefaultDevice } from "@gradus/tensor";
import { cnn, mlp } from "../libraries/gradus-networks.js";
import { enter } from "./contest.js";
import { workloadsOf } from "./workloads.js";

const devices: Readonly<Record<string, () => Promise<Backend>>> = {
  cpu: () => cpu({ threads: 1 }),
  webgpu: () => gpu(),
  webgl: () => webgl(),
};

async function read(loss: Tensor): Promise<number> {
  const [value] = await loss.read();
  loss.dispose();
  return value as number;
}

enter(async (device) => {
  setDefaultDevice(await (devices[device] as () => Promise<Backend>)());
  return workloadsOf({ mlp: (sizes, rows) => mlp(sizes, rows, read), cnn: () => cnn(read) });
});
