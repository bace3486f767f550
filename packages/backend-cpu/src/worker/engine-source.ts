/**
 * The program of the worker that a whole device lives in, as text: it must not depend on where a bundler puts files. It owns
 * the memory and runs launches in the order of the messages. What needs JavaScript (natives) it sends
 * back with the contents of the buffers, and waits for the results before it goes on.
 *
 * `post` sends a message and the memory that goes with it.
 */
export const ENGINE_SOURCE = `"use strict";
const engine = (post) => {
  const PAGE = 65536;
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65535 });
  const modules = new Map();
  const queue = [];
  let isWaiting = false;
  const describe = (error) => ({ code: error.code, message: String(error.message ?? error) });
  const bytesAt = (address, count) => new Uint8Array(memory.buffer, address, count);
  const perform = (message) => {
    switch (message.kind) {
      case "grow": {
        const missing = message.end - memory.buffer.byteLength;
        if (missing <= 0) return;
        try {
          memory.grow(Math.ceil(missing / PAGE));
        } catch (error) {
          throw Object.assign(new Error(message.refused + String(error)), { code: "out-of-memory" });
        }
        return;
      }
      case "load":
        modules.set(
          message.id,
          new WebAssembly.Instance(new WebAssembly.Module(message.bytes), { host: { memory } }).exports,
        );
        return;
      case "unload":
        modules.delete(message.id);
        return;
      case "write":
        bytesAt(message.address, message.data.length).set(message.data);
        return;
      case "read": {
        const data = bytesAt(message.address, message.bytes).slice();
        post({ kind: "data", id: message.id, data }, [data.buffer]);
        return;
      }
      case "run": {
        const { args, words, paramsAt, params, phases } = message;
        new Int32Array(memory.buffer, args, words.length).set(words);
        new Float64Array(memory.buffer, args + paramsAt, params.length).set(params);
        let failed = 0;
        for (const { module, entry } of phases) failed = Math.max(failed, modules.get(module)[entry](args, 0, 1));
        if (failed > 0) post({ kind: "failed", kernel: message.kernel, number: failed }, []);
        return;
      }
      case "host": {
        isWaiting = true;
        const contents = message.buffers.map(({ address, bytes }) => bytesAt(address, bytes).slice());
        post({ kind: "host", id: message.id, contents }, contents.map(({ buffer }) => buffer));
        return;
      }
      case "hosted":
        for (const { address, data } of message.results) bytesAt(address, data.length).set(data);
    }
  };
  const attempt = (message) => {
    try {
      perform(message);
    } catch (error) {
      post({ kind: "error", error: describe(error) }, []);
      if (message.kind === "read") post({ kind: "data", id: message.id, data: new Uint8Array(0) }, []);
    }
  };
  post({ kind: "ready" }, []);
  return (messages) => {
    for (const message of messages) {
      if (message.kind === "hosted") {
        attempt(message);
        isWaiting = false;
      } else queue.push(message);
    }
    while (!isWaiting && queue.length > 0) attempt(queue.shift());
  };
};
`;
