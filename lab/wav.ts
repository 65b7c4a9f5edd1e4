import { open } from 'node:fs/promises';

/** Writes ten minutes of silence (8 kHz, mono, 16 bit) and returns the path; a file with a hole, which takes no room on the disk. */
export async function writeSilence(path: string): Promise<string> {
  const bytes = 10 * 60 * 8000 * 2;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + bytes, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(16_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(bytes, 40);
  const file = await open(path, 'w');
  await file.write(header);
  await file.truncate(44 + bytes);
  await file.close();
  return path;
}
