import { expect, test } from "vitest";

test("the page is cross-origin isolated, so threads can share memory", () => {
  expect(crossOriginIsolated).toBe(true);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  expect(memory.buffer).toBeInstanceOf(SharedArrayBuffer);
});

test("WebGL2 renders to float textures", () => {
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  expect(gl?.getExtension("EXT_color_buffer_float")).toBeTruthy();
});

test("a WebGPU compute shader gives the right numbers", async () => {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error("requestAdapter() gave no adapter: was Chromium started with other flags?");
  const device = await adapter.requestDevice();
  const numbers = Float32Array.from([1, 2, 3, 4]);
  const storage = device.createBuffer({
    size: numbers.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(storage, 0, numbers);
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: {
      module: device.createShaderModule({
        code: `
          @group(0) @binding(0) var<storage, read_write> x: array<f32>;
          @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {
            x[id.x] = x[id.x] * x[id.x] + 0.5;
          }`,
      }),
    },
  });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: storage } }],
  });
  const readable = device.createBuffer({
    size: numbers.byteLength,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(storage, 0, readable, 0, numbers.byteLength);
  device.queue.submit([encoder.finish()]);
  await readable.mapAsync(GPUMapMode.READ);
  expect([...new Float32Array(readable.getMappedRange())]).toEqual([1.5, 4.5, 9.5, 16.5]);
  device.destroy();
});
