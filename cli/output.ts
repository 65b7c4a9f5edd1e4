import { fieldName, jsonText } from '../domain/json-text.js';
import { fitted, width } from './display.js';
import { printable } from './printable.js';

/** Where a command's data goes. Talk (progress, hints, errors) never passes here: it goes to stderr. */
export interface Printer {
  /** Whether data is printed as JSON: what is one object there may be several lists elsewhere. */
  readonly json: boolean;
  /** Many things: a table with a header on a terminal, tab-separated lines in a pipe, an array as JSON. */
  list<T extends object>(rows: readonly T[], columns: readonly (keyof T & string)[]): void;
  /** Many things of several kinds, in a pipe: tab-separated lines, the names of the columns first. */
  table<T extends object>(rows: readonly T[], columns: readonly (keyof T & string)[]): void;
  /**
   * Many things as comma-separated values (RFC 4180), the names of the columns first, whatever is asked for else. `names`: those
   * that are not the names of fields.
   */
  csv<T extends object>(
    rows: readonly T[],
    columns: readonly (keyof T & string)[],
    names?: readonly string[],
  ): void;
  /** One thing: a field and its value on each line, or an object as JSON. */
  record(row: object): void;
  /** What was removed: only JSON has something to print. */
  removed(noun: string, name: string): void;
}

export interface PrinterOptions {
  /** Writes to stdout. */
  out: (text: string) => void;
  /** Whether a person looks at it. */
  terminal: boolean;
  json: boolean;
}

/** A printer for one of the three renderings. Field names are stable, in snake_case; times are ISO 8601 in UTC. */
export function createPrinter({ out, terminal, json }: PrinterOptions): Printer {
  const asJson = (value: unknown): void => out(`${jsonText(value, 2)}\n`);
  const lines = (rows: readonly string[][]): void => {
    out(terminal ? aligned(rows) : rows.map((row) => `${row.join('\t')}\n`).join(''));
  };
  return {
    json,
    list: (rows, columns) => {
      if (json) {
        asJson(rows);
        return;
      }
      const body = rows.map((row) => columns.map((column) => cell(row[column], terminal)));
      lines(terminal ? [columns.map(heading), ...body] : body);
    },
    table: (rows, columns) =>
      lines([
        columns.map(fieldName),
        ...rows.map((row) => columns.map((column) => cell(row[column], terminal))),
      ]),
    csv: (rows, columns, names = columns.map(fieldName)) => {
      const body = rows.map((row) => columns.map((column) => csvCell(cell(row[column], false))));
      const head = names.map((name) => csvCell(printable(name)));
      out([head, ...body].map((fields) => `${fields.join(',')}\r\n`).join(''));
    },
    record: (row) => {
      if (json) asJson(row);
      else lines(Object.entries(row).map(([key, value]) => [fieldName(key), cell(value, terminal)]));
    },
    removed: (noun, name) => {
      if (json) asJson({ noun, name, removed: true });
    },
  };
}

const heading = (key: string): string => fieldName(key).replaceAll('_', ' ').toUpperCase();

/** A value in one line. */
const cell = (value: unknown, terminal: boolean): string => printable(plain(value, terminal));

/**
 * A value between commas. What callers choose may begin like a formula, which a spreadsheet would carry out: an apostrophe
 * makes it text. A number of the public network stays as it is.
 */
function csvCell(text: string): string {
  const safe =
    /^[=@\t\r]/.test(text) || (/^[+-]/.test(text) && !/^[+-][0-9.]+$/.test(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function plain(value: unknown, terminal: boolean): string {
  if (value === null || value === undefined) return terminal ? '-' : '';
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.length === 0 && terminal ? '-' : value.join(',');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  if (typeof value === 'object') {
    return plain(
      Object.entries(value).map(([key, inner]) => `${key}=${plain(inner, false)}`),
      terminal,
    );
  }
  return JSON.stringify(value);
}

const gap = 2;

function aligned(rows: readonly string[][]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((text, column) => (widths[column] = Math.max(widths[column] ?? 0, width(text))));
  }
  return rows
    .map((row) => row.map((text, column) => fitted(text, (widths[column] ?? 0) + gap)).join(''))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
