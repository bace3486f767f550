import { fileURLToPath } from "node:url";
import { generate } from "./generate.js";

// `src/` and the bundle in `dist/` are equally deep.
const out = fileURLToPath(new URL("../.generated/", import.meta.url));
const root = fileURLToPath(new URL("../../../", import.meta.url));

const { files, problems } = generate(root, out);
for (const { file, line, message } of problems) console.error(`${file}:${line}: ${message}`);
if (problems.length > 0) process.exitCode = 1;
else console.log(`${files.length} examples`);
