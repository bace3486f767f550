import { type Device, defaultDevice, init } from "@jax-js/jax";
import { cnn, mlp } from "../libraries/jax-networks.js";
import { enter } from "./contest.js";
import { workloadsOf } from "./workloads.js";

enter(async (device) => {
  const available = await init(device as Device);
  if (!available.includes(device as Device)) throw new Error(`jax-js has no ${device} here`);
  defaultDevice(device as Device);
  return workloadsOf({ mlp, cnn });
});
