/** What the kernel holds of sockets, as Linux tells it. */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';

const KIB = 1_024;
const PAGE = 4_096;
const GIB = 1_073_741_824;

export interface Kernel {
  /** Bytes of slab that cannot be given back: sockets, files, entries of epoll. */
  readonly slab: number;
  /** Bytes of what was sent and not read yet. */
  readonly buffers: number;
  readonly sockets: number;
}

export function kernel(): Kernel {
  const [, inUse, pages] = /^TCP: inuse (\d+) .* mem (\d+)/m.exec(readFileSync('/proc/net/sockstat', 'latin1')) ?? [];
  return { slab: fromMeminfo('SUnreclaim'), buffers: Number(pages) * PAGE, sockets: Number(inUse) };
}

/** GiB that programs can still have. */
export function freeMemory(): number {
  return fromMeminfo('MemAvailable') / GIB;
}

export function load(): string {
  return loadavg()[0]!.toFixed(1);
}

/** Bytes. */
function fromMeminfo(name: string): number {
  const [, value] = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/meminfo', 'latin1')) ?? [];
  return Number(value) * KIB;
}
