/** Frames of this library: its sources, its bundles, and what bundlers make of them. */
const OWN =
  /[/\\](?:packages|@gradus)[/\\](?:core|tensor|autograd|nn|losses|optimizers|train)[/\\](?:src|dist)[/\\](?!.*\.(?:test|fixture)\.)|node_modules[/\\].*gradus/;

/** Where the program called the operation that is running: the innermost frame that is not this library's. */
export function creationSite(): string {
  // V8 alone has a limit; elsewhere this sets what nobody reads.
  const errors: ErrorConstructor & { stackTraceLimit?: number } = Error;
  const before = errors.stackTraceLimit;
  errors.stackTraceLimit = 50;
  const { stack = "" } = new Error();
  if (before !== undefined) errors.stackTraceLimit = before;
  const frames = stack
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("at ") || line.includes("@"));
  const own = frames.find((frame) => !OWN.test(frame)) ?? frames.at(-1) ?? "at an unknown place";
  return own.startsWith("at ") ? own : `at ${own}`;
}
