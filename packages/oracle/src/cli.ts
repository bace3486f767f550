import { fileURLToPath } from "node:url";
import { oracle } from "./oracle.js";

// `src/` and the bundle in `dist/` are equally deep. pnpm runs scripts in the workspace's folder, and says in INIT_CWD
// where the user is.
process.exitCode = await oracle(process.argv.slice(2), {
  folder: process.env.INIT_CWD ?? process.cwd(),
  goldenFolder: fileURLToPath(new URL("../golden/", import.meta.url)),
  out: (line) => console.log(line),
  err: (line) => console.error(line),
});
