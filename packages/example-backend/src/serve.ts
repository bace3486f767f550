import type { Backend, Buffer, Executable } from "@gradus/core";
import type { Answer, RemoteLaunch, Request } from "./messages.js";

/** Does on `device`, in order, what arrives at the port. What goes wrong on the way rejects the next read. */
export function serve(device: Backend, port: MessagePort): void {
  const buffers = new Map<number, Buffer>();
  const executables = new Map<number, Executable>();
  const bufferOf = (id: number): Buffer => buffers.get(id) as Buffer;
  const answer = (message: Answer): void => port.postMessage(message);
  let problem: unknown;
  const launchOf = (launch: RemoteLaunch) => ({
    ...launch,
    executable: executables.get(launch.executable) as Executable,
    buffers: launch.buffers.map(bufferOf),
  });
  const read = async (reading: number, buffer: number, at: number, bytes: number): Promise<void> => {
    const earlier = problem;
    problem = undefined;
    try {
      if (earlier !== undefined) throw earlier;
      answer(["data", reading, await device.read(bufferOf(buffer), at, bytes)]);
    } catch (error) {
      const { code = "device-lost", message } = error as Error & { code?: string };
      answer(["error", reading, code, message]);
    }
  };
  port.onmessage = ({ data: request }: MessageEvent<Request>) => {
    try {
      if (request[0] === "alloc") buffers.set(request[1], device.alloc(request[2]));
      else if (request[0] === "free") device.free(bufferOf(request[1]));
      else if (request[0] === "write") device.write(bufferOf(request[1]), request[2], request[3]);
      else if (request[0] === "compile") executables.set(request[1], device.compile(request[2]));
      else if (request[0] === "run") device.run(request[1].map(launchOf));
      else void read(request[1], request[2], request[3], request[4]);
      if (request[0] === "free") buffers.delete(request[1]);
    } catch (error) {
      problem ??= error;
    }
  };
  answer(["ready", device.caps]);
}
