import { readFileSync } from "node:fs";

// `../data/` is right both from `src/` and from the bundle in `dist/`.
const folder = new URL("../data/", import.meta.url);

/**
 * The bytes of a file in this package's `data` folder, such as `digits-images-idx3-ubyte`.
 *
 * @throws The file system's error if there is no such file.
 */
export function readDataFile(name: string): Uint8Array {
  return readFileSync(new URL(name, folder));
}

/** The text of a file in this package's `data` folder, such as `iris.csv`. */
export function readDataText(name: string): string {
  return readFileSync(new URL(name, folder), "utf8");
}
