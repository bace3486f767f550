/** `counts[i][j]`: how many rows of class i were taken for class j. */
export function confusion(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) {
    const row = counts[labels[i] as number] as number[];
    row[predicted[i] as number] = (row[predicted[i] as number] as number) + 1;
  }
  return counts;
}

/** The table as text: a row for each class, a column for each prediction, and the share that was right. */
export function confusionTable(counts: readonly (readonly number[])[]): string {
  const width = Math.max(2, ...counts.flat().map((n) => String(n).length)) + 1;
  const cell = (text: string | number): string => String(text).padStart(width);
  const header = `     predicted\n true${counts.map((_, j) => cell(j)).join("")}    right`;
  const rows = counts.map((row, i) => {
    const total = row.reduce((sum, n) => sum + n, 0);
    const right = total === 0 ? "-" : `${((100 * (row[i] as number)) / total).toFixed(1)} %`;
    return `${String(i).padStart(5)}${row.map((n) => cell(n === 0 ? "·" : n)).join("")}  ${right.padStart(7)}`;
  });
  return [header, ...rows].join("\n");
}
