import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * The Chromium that runs the browser tests, in this order: the environment variable CHROMIUM_PATH, one that the
 * system has, the one that the npm package `@sparticuz/chromium` carries.
 */

// Wherever a bundler puts this file.
const root = workspaceRoot(import.meta.dirname);
export const bundled = join(root, "node_modules/.cache/chromium");

const installed = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

const found = process.env.CHROMIUM_PATH || installed.find((path) => existsSync(path));

/** Software WebGPU and WebGL: the tests need no graphics card and give the same numbers everywhere. */
const flags = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--use-gl=angle",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launchOptions = found
  ? { executablePath: found, args: flags }
  : {
      executablePath: join(bundled, "chromium"),
      args: flags,
      env: {
        ...process.env,
        FONTCONFIG_PATH: join(bundled, "fonts"),
        LD_LIBRARY_PATH: [join(bundled, "al2023/lib"), bundled, process.env.LD_LIBRARY_PATH]
          .filter(Boolean)
          .join(":"),
      },
    };

const help = `The browser tests need Chromium. Do one of these, then run the tests again:
  - Debian, Ubuntu:  apt-get install --no-install-recommends chromium libvulkan1
  - any system:      CHROMIUM_PATH=/path/to/chrome-or-chromium
  - Linux on x64:    pnpm install   (brings @sparticuz/chromium, which is unpacked when no other is found)`;

/** Vitest's global set-up: makes sure that the browser is there before a test asks for it. */
export async function setup(): Promise<void> {
  const { executablePath } = launchOptions;
  if (!found && !existsSync(executablePath)) await unpack();
  if (!existsSync(executablePath)) throw new Error(`No Chromium at ${executablePath}.\n${help}`);
  try {
    execFileSync(executablePath, ["--version", "--no-sandbox"], {
      env: environment(),
      stdio: "pipe",
      timeout: 60_000,
    });
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    throw new Error(`${executablePath} does not start: ${stderr?.toString().trim()}\n${help}`, {
      cause: error,
    });
  }
}

/** Unpacks the browser with the libraries and the Vulkan driver that it brings, all of it or nothing. */
export async function unpack(): Promise<void> {
  if (process.platform !== "linux" || process.arch !== "x64") return;
  await mkdir(dirname(bundled), { recursive: true });
  const folder = mkdtempSync(`${bundled}-`);
  try {
    // The package unpacks into TMPDIR, and its shared libraries only where it believes to be on AWS Lambda.
    execFileSync(
      process.execPath,
      [
        "--input-type=module",
        "--eval",
        `await (await import("@sparticuz/chromium")).default.executablePath();`,
      ],
      {
        cwd: root,
        env: { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs20.x" },
        stdio: "pipe",
      },
    );
    renameSync(folder, bundled);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`@sparticuz/chromium could not be unpacked.\n${help}`, { cause: error });
  }
}

function environment(): NodeJS.ProcessEnv {
  return "env" in launchOptions ? launchOptions.env : process.env;
}

function workspaceRoot(folder: string): string {
  return existsSync(join(folder, "pnpm-workspace.yaml")) ? folder : workspaceRoot(dirname(folder));
}
