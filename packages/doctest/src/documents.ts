import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * The files of a workspace that may hold examples, relative to it, with forward slashes: `README.md`,
 * `CONTRIBUTING.md`, the pages below `docs`, each package's `README.md` and its sources, without the tests.
 */
export function documents(root: string): string[] {
  const pages = filesBelow(root, "docs").filter((file) => file.endsWith(".md"));
  const ofPackages = entries(root, "packages").flatMap(({ name }) => [
    `packages/${name}/README.md`,
    ...filesBelow(root, `packages/${name}/src`).filter(isSource),
  ]);
  return ["README.md", "CONTRIBUTING.md", ...pages, ...ofPackages].filter((file) =>
    existsSync(join(root, file)),
  );
}

function isSource(file: string): boolean {
  return file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.endsWith(".d.ts");
}

function filesBelow(root: string, folder: string): string[] {
  return entries(root, folder).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(root, path) : [path];
  });
}

/** What is in a folder, in a fixed order, without hidden and installed files; nothing if there is no such folder. */
function entries(root: string, folder: string) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith(".") && name !== "node_modules")
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
