import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { type Case, type CaseKind, kindOf, problemOf } from "./cases.js";
import { checkTensors, isRecord, type Tolerance, UsageError } from "./values.js";

const SCHEMA = "oracle-golden/1";

export interface GoldenCase {
  readonly section: string;
  readonly kind: CaseKind;
  readonly fields: Case;
}

export interface GoldenFile {
  readonly path: string;
  /** The file's name, which is how reports and `--only` call it. */
  readonly name: string;
  /** By dtype. */
  readonly tolerance: Readonly<Record<string, Tolerance>>;
  readonly cases: readonly GoldenCase[];
}

/** The golden files that the arguments name: files, and the ones in folders. `note` is told what is passed over. */
export function readGoldenFiles(paths: readonly string[], note: (message: string) => void): GoldenFile[] {
  return paths.flatMap((path) => {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) throw new UsageError(`${path}: no such file or directory`);
    if (!stats.isDirectory()) return [parseGoldenFile(path, readJson(path))];
    const files: GoldenFile[] = [];
    for (const name of readdirSync(path)
      .filter((file) => file.endsWith(".json"))
      .sort()) {
      const inside = join(path, name);
      const json = readJson(inside);
      if (isRecord(json) && "schema" in json) files.push(parseGoldenFile(inside, json));
      else note(`${inside}: has no "schema", passed over`);
    }
    if (files.length === 0) throw new UsageError(`${path}: no golden files (*.json) in this directory`);
    return files;
  });
}

function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${path}: cannot be read: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path}: not JSON: ${(error as Error).message}`);
  }
}

/** Checks a parsed file against the schema. */
export function parseGoldenFile(path: string, json: unknown): GoldenFile {
  if (!isRecord(json)) throw new UsageError(`${path}: expected an object with "schema": "${SCHEMA}"`);
  if (json.schema !== SCHEMA) {
    throw new UsageError(`${path}: the schema is ${JSON.stringify(json.schema)}, expected "${SCHEMA}"`);
  }
  const { tolerance = {} } = json;
  if (!isRecord(tolerance) || !Object.values(tolerance).every(isTolerance)) {
    throw new UsageError(`${path}: tolerance must give rtol and atol for each dtype`);
  }
  const sections = Object.entries(json).filter(([, value]) => Array.isArray(value));
  if (sections.length === 0) throw new UsageError(`${path}: no section: there is no list of cases in it`);
  const cases = sections.flatMap(([section, items]) =>
    parseSection(`${path}: ${section}`, section, items as unknown[]),
  );
  return { path, name: basename(path), tolerance: tolerance as Readonly<Record<string, Tolerance>>, cases };
}

function parseSection(place: string, section: string, items: readonly unknown[]): GoldenCase[] {
  const ids = new Set<string>();
  return items.map((fields, i) => {
    if (!isRecord(fields) || typeof fields.id !== "string") throw new UsageError(`${place}[${i}] has no id`);
    const where = `${place}: ${fields.id}`;
    if (ids.has(fields.id)) throw new UsageError(`${where}: the id is there twice`);
    ids.add(fields.id);
    const kind = kindOf(section, fields);
    if (kind === undefined) throw new UsageError(`${where}: the schema has no such kind of case`);
    const problem = problemOf(kind, fields);
    if (problem !== undefined) throw new UsageError(`${where}: ${problem}`);
    if (fields.tolerance !== undefined && !isTolerance(fields.tolerance)) {
      throw new UsageError(`${where}: a tolerance has the numbers rtol and atol`);
    }
    checkTensors(fields, where);
    return { section, kind, fields: fields as unknown as Case };
  });
}

function isTolerance(value: unknown): value is Tolerance {
  return isRecord(value) && typeof value.rtol === "number" && typeof value.atol === "number";
}
