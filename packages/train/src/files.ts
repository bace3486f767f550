import { fail, GradusError } from "@gradus/core";

/** What is used of Node's file system, which Deno and Bun offer as well. */
interface FileSystem {
  readonly promises: {
    open(path: string, flags: string): Promise<FileHandle>;
    readFile(path: string): Promise<Uint8Array>;
    rename(from: string, to: string): Promise<void>;
    unlink(path: string): Promise<void>;
  };
}

interface FileHandle {
  writeFile(data: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

interface Process {
  readonly pid?: number;
  getBuiltinModule?(name: string): unknown;
}

const host = (): Process | undefined => (globalThis as { process?: Process }).process;

/** The file system, found at run time: an import of it would keep this package out of browsers. */
function fileSystem(what: string, instead: string): FileSystem {
  const fs = host()?.getBuiltinModule?.("node:fs") as FileSystem | undefined;
  return fs ?? fail("unsupported", `${what}: there is no file system here. ${instead}`);
}

let written = 0;

/**
 * Writes a file so that at any moment, also after a crash, `path` is either the old file or the whole new one: into a
 * temporary file in the same folder, down to the disk, then under its name. A crash may leave the temporary file behind.
 *
 * @throws `unsupported` where there is no file system, or `invalid-argument` if the file cannot be written.
 */
export async function writeFileAtomically(what: string, path: string, bytes: Uint8Array): Promise<void> {
  const { promises: fs } = fileSystem(what, "Use toBytes() and store the bytes yourself");
  const temporary = `${path}.${host()?.pid ?? 0}-${written++}.tmp`;
  try {
    const file = await fs.open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(temporary, path);
  } catch (cause) {
    await fs.unlink(temporary).catch(() => undefined);
    throw new GradusError("invalid-argument", `${what}: cannot write ${path}: ${reasonOf(cause)}`, { cause });
  }
  await syncFolder(fs, path);
}

/** Makes the new name durable. Some systems cannot open a folder; there the name follows when the system likes. */
async function syncFolder(fs: FileSystem["promises"], path: string): Promise<void> {
  const folder = path.replace(/[^/\\]*$/, "") || ".";
  try {
    const handle = await fs.open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {}
}

/** @throws `unsupported` where there is no file system, or `invalid-argument` if the file cannot be read. */
export async function readFile(what: string, path: string): Promise<Uint8Array> {
  const { promises: fs } = fileSystem(what, "Pass the file's bytes, a Uint8Array, instead of its path");
  try {
    return await fs.readFile(path);
  } catch (cause) {
    throw new GradusError("invalid-argument", `${what}: cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
