import { nodeGpu } from "./node-gpu.fixture.js";

/** What a device was asked for. */
export interface Counts {
  dispatches: number;
  submits: number;
  buffers: number;
  /** Bytes that the host sent, for data and for arguments. */
  sent: number;
  /** Bytes that were mapped for the host to read. */
  fetched: number;
  maps: number;
}

export function noCounts(): Counts {
  return { dispatches: 0, submits: 0, buffers: 0, sent: 0, fetched: 0, maps: 0 };
}

/** What was asked for in between. */
export function difference(before: Counts, after: Counts): Counts {
  return Object.fromEntries(
    Object.entries(after).map(([name, count]) => [name, count - before[name as keyof Counts]]),
  ) as unknown as Counts;
}

/** WebGPU whose devices count what they are asked for; `seen` is told of each device. */
export function countingGpu(counts: Counts, seen: (device: GPUDevice) => void = () => undefined): GPU {
  const api = nodeGpu();
  const requestAdapter = async (options?: GPURequestAdapterOptions): Promise<GPUAdapter> => {
    const adapter = (await api.requestAdapter(options)) as GPUAdapter;
    const { requestDevice } = adapter;
    adapter.requestDevice = async (descriptor) => {
      const device = await requestDevice.call(adapter, descriptor);
      count(device, counts);
      seen(device);
      return device;
    };
    return adapter;
  };
  return new Proxy(api, {
    get: (target, name) => (name === "requestAdapter" ? requestAdapter : Reflect.get(target, name)),
  });
}

function count(device: GPUDevice, counts: Counts): void {
  const { createBuffer, createCommandEncoder, queue } = device;
  const { submit, writeBuffer } = queue;
  device.createBuffer = (descriptor) => {
    counts.buffers++;
    const buffer = createBuffer.call(device, descriptor);
    const { mapAsync } = buffer;
    buffer.mapAsync = (mode, offset, size) => {
      counts.maps++;
      counts.fetched += size ?? descriptor.size;
      return mapAsync.call(buffer, mode, offset, size);
    };
    return buffer;
  };
  device.createCommandEncoder = (descriptor) => {
    const encoder = createCommandEncoder.call(device, descriptor);
    const { beginComputePass } = encoder;
    encoder.beginComputePass = (options) => {
      const pass = beginComputePass.call(encoder, options);
      const { dispatchWorkgroups } = pass;
      pass.dispatchWorkgroups = (...groups) => {
        counts.dispatches++;
        dispatchWorkgroups.apply(pass, groups);
      };
      return pass;
    };
    return encoder;
  };
  queue.submit = (commands) => {
    counts.submits++;
    submit.call(queue, commands);
  };
  queue.writeBuffer = (...args) => {
    const [, , data, offset = 0, size] = args;
    // Typed arrays are counted in elements, buffers in bytes.
    const unit = "BYTES_PER_ELEMENT" in data ? (data as Uint8Array).BYTES_PER_ELEMENT : 1;
    counts.sent += size === undefined ? data.byteLength - offset * unit : size * unit;
    writeBuffer.apply(queue, args as Parameters<GPUQueue["writeBuffer"]>);
  };
}
