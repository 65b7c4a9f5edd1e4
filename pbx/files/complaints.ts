import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A log grows by less than this while files are read. */
const most = 4 * 1024 * 1024;

/** Sizes of the files in Asterisk's log directory at one moment; empty where it may not be read. */
export type LogMark = ReadonlyMap<string, number>;

export async function markLogs(directory: string): Promise<LogMark> {
  const sizes = new Map<string, number>();
  const names = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of names) {
    if (!entry.isFile() || entry.name.startsWith('queue_log')) continue;
    const path = join(directory, entry.name);
    const size = await sizeOf(path);
    if (size !== undefined) sizes.set(path, size);
  }
  return sizes;
}

/** The warnings and errors that have come into any log since then, each once, without time and thread. */
export async function warningsSince(mark: LogMark): Promise<string[]> {
  const found = new Set<string>();
  for (const [path, from] of mark) {
    for (const line of (await readFrom(path, from)).split('\n')) {
      const said = /\b(?:WARNING|ERROR)\[[0-9]+\](?:\[[^\]]*\])?:? (.*)$/.exec(line)?.[1];
      if (said !== undefined) found.add(said);
    }
  }
  return [...found];
}

/** A complaint with the line that it is about, where it names file and line. */
export async function withLine(complaint: string): Promise<string> {
  const [, number, path] = /\bline ([0-9]+) of (\/\S+)/.exec(complaint) ?? [];
  if (number === undefined || path === undefined) return complaint;
  const text = await readFile(path, 'utf8').catch(() => '');
  const line = text.split('\n')[Number(number) - 1];
  return line === undefined ? complaint : `${complaint}\n    ${line.trim()}`;
}

async function sizeOf(path: string): Promise<number | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  try {
    return (await file?.stat())?.size;
  } finally {
    await file?.close();
  }
}

async function readFrom(path: string, from: number): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return '';
  try {
    const { size } = await file.stat();
    // It was emptied or begun anew meanwhile.
    const start = size < from ? 0 : from;
    const length = Math.min(size - start, most);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
