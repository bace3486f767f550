import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "..");

/** Every package of the workspace: its folder's name, the folder and its package.json. */
export function packages(folder = join(root, "packages")) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const path = join(folder, name);
      return { name, path, manifest: JSON.parse(readFileSync(join(path, "package.json"), "utf8")) };
    });
}
