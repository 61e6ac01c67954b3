/** Reads a CSV in the page: quoted fields, comma, semicolon or tab. */

export interface Table {
  columns: string[];
  rows: string[][];
  separator: string;
}

function fields(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at]!;
    if (quoted) {
      if (letter !== '"') field += letter;
      else if (text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else quoted = false;
    } else if (letter === '"' && field === "") quoted = true;
    else if (letter === separator) {
      row.push(field.trim());
      field = "";
    } else if (letter === "\n" || letter === "\r") {
      if (letter === "\r" && text[at + 1] === "\n") at += 1;
      row.push(field.trim());
      rows.push(row);
      row = [];
      field = "";
    } else field += letter;
  }
  if (field || row.length) rows.push([...row, field.trim()]);
  return rows.filter((one) => one.some((cell) => cell !== ""));
}

export function readTable(text: string): Table {
  const first = text.replace(/^\uFEFF/, "").split(/\r?\n/, 1)[0] ?? "";
  const counts = [",", ";", "\t"].map((one) => [one, first.split(one).length] as const);
  const separator = counts.reduce((best, one) => (one[1] > best[1] ? one : best))[0];
  const [head, ...rows] = fields(text.replace(/^\uFEFF/, ""), separator);
  if (!head || head.length < 3) {
    throw new Error("The file needs a line of column names and at least three columns: two features and a label.");
  }
  const wrong = rows.findIndex((row) => row.length !== head.length);
  if (wrong >= 0) {
    throw new Error(`Line ${wrong + 2} has ${rows[wrong]!.length} fields; the line of names has ${head.length}.`);
  }
  if (rows.length < 2) throw new Error("The file has fewer than two rows below its names.");
  return { columns: head, rows, separator };
}

const cells = (table: Table, column: number) => table.rows.map((row) => row[column]!);

/** The number in a cell, or NaN; a comma marks decimals where it does not part the fields. */
function numberIn(cell: string, { separator }: Table): number {
  return cell === "" ? NaN : Number(separator === "," ? cell : cell.replace(",", "."));
}

/** Columns by what they hold; a large file is searched once. */
function once(search: (table: Table) => number[]): (table: Table) => number[] {
  const known = new WeakMap<Table, number[]>();
  return (table) => {
    let found = known.get(table);
    if (!found) known.set(table, (found = search(table)));
    return found;
  };
}

export const numericColumns = once((table) =>
  table.columns.flatMap((_, at) => (cells(table, at).every((cell) => Number.isFinite(numberIn(cell, table))) ? [at] : [])),
);

export const labelColumns = once((table) =>
  table.columns.flatMap((_, at) => (new Set(cells(table, at)).size === 2 ? [at] : [])),
);

/** The most rows that one call sends, and that a scatter plot shows apart. */
export const MOST_ROWS = 4000;
const DIGITS = 7;

/** Evenly spaced rows, at most `MOST_ROWS`. */
function shown(table: Table): Table {
  const count = table.rows.length;
  if (count <= MOST_ROWS) return table;
  return { ...table, rows: Array.from({ length: MOST_ROWS }, (_, at) => table.rows[Math.floor((at * count) / MOST_ROWS)]!) };
}

/** Two numeric columns and 0/1 labels; the second label in sorted order counts as 1. */
export function problem(whole: Table, first: number, second: number, label: number) {
  const table = shown(whole);
  const classes = [...new Set(cells(whole, label))].sort();
  return {
    features: [first, second].map((at) => cells(table, at).map((cell) => Number(numberIn(cell, table).toPrecision(DIGITS)))),
    labels: cells(table, label).map((cell) => (cell === classes[1] ? 1 : 0)),
    classes,
    names: [table.columns[first]!, table.columns[second]!],
  };
}
