import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packages, root } from "./workspace.mjs";

// Turns the changesets into version numbers and changelogs.
//
// `changeset version` makes a major release of every package whose peer leaves its range, and before 1.0.0 a minor
// release of core leaves ^0.x.y: without help the first release would be 1.0.0. All packages are released together,
// so while the versions are 0.x it is shown a wider range.

const all = packages();
const before1 = all.every(({ manifest }) => manifest.version.startsWith("0."));

if (before1) replacePeers("workspace:^", "workspace:0.x");
const { status } = spawnSync(
  process.execPath,
  [join(root, "node_modules/@changesets/cli/bin.js"), "version"],
  {
    cwd: root,
    stdio: "inherit",
  },
);
if (before1) replacePeers("workspace:0.x", "workspace:^");
process.exit(status ?? 1);

function replacePeers(from, to) {
  for (const { path } of all) {
    const file = join(path, "package.json");
    const manifest = JSON.parse(readFileSync(file, "utf8"));
    for (const [name, range] of Object.entries(manifest.peerDependencies ?? {})) {
      if (range === from) manifest.peerDependencies[name] = to;
    }
    writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
  }
}
