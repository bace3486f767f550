/** A table of numbers with a header line. */
export interface NumericTable {
  /** One name for each column. */
  readonly header: readonly string[];
  /** `[rows, header.length]`, row-major. */
  readonly values: Float64Array;
  readonly rows: number;
}

/**
 * Parses comma-separated numbers below one header line. Quotes are not supported; a final line break is optional.
 *
 * @param source What errors call the text, usually the file's name.
 * @throws Error that names the line and the column (both from 1) of the first field that is empty or not a finite
 *   number, or of the first field that is missing from, or too many in, a ragged row.
 */
export function parseNumericCsv(text: string, source: string): NumericTable {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const header = lines[0]?.split(",") ?? [];
  if (header.length === 0) throw new Error(`${source}: no header line`);

  const columns = header.length;
  const rows = lines.length - 1;
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const line = row + 2;
    const fields = (lines[row + 1] ?? "").split(",");
    if (fields.length !== columns) {
      const column = Math.min(fields.length, columns) + 1;
      const found = `${fields.length} field${fields.length === 1 ? "" : "s"}`;
      throw new Error(`${source}: line ${line}, column ${column}: ${found}, but the header has ${columns}`);
    }
    fields.forEach((field, index) => {
      const value = Number(field);
      if (field.trim() === "" || !Number.isFinite(value)) {
        const where = `line ${line}, column ${index + 1} (${header[index]})`;
        throw new Error(`${source}: ${where}: ${JSON.stringify(field)} is not a finite number`);
      }
      values[row * columns + index] = value;
    });
  }
  return { header, values, rows };
}
