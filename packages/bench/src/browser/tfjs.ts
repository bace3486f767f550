import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgpu";
import { cnn, mlp } from "../libraries/tfjs-networks.js";
import { enter } from "./contest.js";
import { workloadsOf } from "./workloads.js";

async function read(loss: tf.Scalar): Promise<number> {
  // Given back by the caller before it is here.
  const kept = loss.clone();
  const [value] = await kept.data();
  kept.dispose();
  return value as number;
}

enter(async (device) => {
  setWasmPaths("/wasm/");
  if (!(await tf.setBackend(device))) throw new Error(`TensorFlow.js has no ${device} here`);
  await tf.ready();
  // What a device of this library lacks fails there, and is left out of the table.
  return workloadsOf({ mlp: (sizes, rows) => mlp(sizes, rows, read), cnn: () => cnn(read) });
});
