import { nextTurn } from './turn.js';

/** The labels of a series, in their order. */
export type Labels = Readonly<Record<string, string>>;

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** A line of Prometheus' text format 0.0.4. */
export function series(name: string, labels: Labels, value: number): string {
  const all = Object.entries(labels).map(([label, is]) => `${label}="${escaped(is)}"`);
  const of = all.length === 0 ? '' : `{${all.join(',')}}`;
  return `${name}${of} ${Number.isInteger(value) ? value : value.toPrecision(6)}\n`;
}

/** The two lines that say what a metric is. */
export const headOf = (name: string, type: 'gauge' | 'counter' | 'histogram', help: string): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;

/** Counts how long something took, by the upper ends of its buckets, in seconds. */
export class Histogram {
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(private readonly ends: readonly number[]) {
    this.#counts = ends.map(() => 0);
  }

  /** Something took so many seconds; less than none is none. */
  add(seconds: number): void {
    const took = Math.max(0, seconds);
    for (const [at, end] of this.ends.entries())
      if (took <= end) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += took;
    this.#count++;
  }

  /** The series, without the head, which histograms of one name share. */
  *lines(name: string, labels: Labels = {}): Generator<string> {
    for (const [at, end] of this.ends.entries())
      yield series(`${name}_bucket`, { ...labels, le: String(end) }, this.#counts[at] ?? 0);
    yield series(`${name}_bucket`, { ...labels, le: '+Inf' }, this.#count);
    yield series(`${name}_sum`, labels, this.#sum);
    yield series(`${name}_count`, labels, this.#count);
  }
}

/** The histogram of a key; of a new one it begins here. */
export function histogramOf(all: Map<string, Histogram>, key: string, ends: readonly number[]): Histogram {
  const known = all.get(key) ?? new Histogram(ends);
  all.set(key, known);
  return known;
}

const usualSlice = 500;

/**
 * Puts a text together a slice at a time, and lets whatever else there is to do go first between two: of a thousand teams it
 * has thousands of lines.
 */
export async function inSlices(
  lines: Iterable<string>,
  slice: number = usualSlice,
  pause: () => Promise<unknown> = nextTurn,
): Promise<string> {
  const parts: string[] = [];
  let part: string[] = [];
  for (const line of lines) {
    part.push(line);
    if (part.length < slice) continue;
    parts.push(part.join(''));
    part = [];
    await pause();
  }
  parts.push(part.join(''));
  return parts.join('');
}
