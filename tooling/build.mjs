import { build } from "./turbo.mjs";

// pnpm build [package ...]
build(...process.argv.slice(2));
