import { mkdtemp, readFile as read, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readFile, writeFileAtomically } from "./files.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gradus-"));
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await rm(folder, { recursive: true });
});

describe("writeFileAtomically", () => {
  it("replaces a file and leaves nothing else behind", async () => {
    const path = join(folder, "a.gradus");
    await writeFile(path, "old");
    await writeFileAtomically("test", path, new Uint8Array([1, 2, 3]));
    expect([...(await read(path))]).toEqual([1, 2, 3]);
    expect(await readdir(folder)).toEqual(["a.gradus"]);
  });

  it("leaves one whole file when many write at once", async () => {
    const path = join(folder, "a.gradus");
    const contents = Array.from({ length: 20 }, (_, i) => new Uint8Array(10_000).fill(i));
    await Promise.all(contents.map((bytes) => writeFileAtomically("test", path, bytes)));
    const bytes = await read(path);
    expect(bytes.length).toBe(10_000);
    expect(new Set(bytes).size).toBe(1);
    expect(await readdir(folder)).toEqual(["a.gradus"]);
  });

  it("keeps the old file when it cannot write, and says why", async () => {
    await expect(
      writeFileAtomically("save", join(folder, "none", "a"), new Uint8Array()),
    ).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringMatching(/^save: cannot write .*none.*: ENOENT/),
    });
    // A folder cannot be replaced by a file: the temporary one must not stay.
    await expect(writeFileAtomically("save", folder, new Uint8Array([1]))).rejects.toMatchObject({
      code: "invalid-argument",
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it("names toBytes() where there is no file system", async () => {
    vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
    await expect(writeFileAtomically("save", "a", new Uint8Array())).rejects.toMatchObject({
      code: "unsupported",
      message: "save: there is no file system here. Use toBytes() and store the bytes yourself",
    });
  });
});

describe("readFile", () => {
  it("reads a file, or says why it cannot", async () => {
    const path = join(folder, "a");
    await writeFile(path, "x");
    expect([...(await readFile("test", path))]).toEqual([120]);
    await expect(readFile("fit: resume", `${path}.gone`)).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining("fit: resume: cannot read"),
    });
  });
});
