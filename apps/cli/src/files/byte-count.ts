/** A number of bytes for people: `512 bytes`, `1.5 MiB`. */
const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

export function byteCount(bytes: number): string {
  if (bytes < 1_024) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  let value = bytes;
  let unit = -1;
  // What would be shown as 1024.0 is one of the next unit.
  while (value >= 1_023.95 && unit < UNITS.length - 1) {
    value /= 1_024;
    unit++;
  }
  return `${value.toFixed(1)} ${UNITS[unit]}`;
}
