/** What a bad disk does to a file, as the tests do it. */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/** Changes one byte, by default in one bit. */
export function flip(path: string, at: number, bits = 0x01): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0] = (byte[0] as number) ^ bits;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

/** Where `bytes` begin in the file, everywhere. */
export function placesOf(path: string, bytes: Uint8Array): number[] {
  const file = openSync(path, 'r');
  const content = Buffer.alloc(fstatSync(file).size);
  readSync(file, content, 0, content.length, 0);
  closeSync(file);
  const places: number[] = [];
  for (let at = content.indexOf(bytes); at !== -1; at = content.indexOf(bytes, at + 1)) places.push(at);
  return places;
}
