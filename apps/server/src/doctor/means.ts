/** What the checks ask the world by; tests give their own. */
import { lookup } from 'node:dns/promises';
import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import type { DiskReading } from '@sealwire/service/disk-watch';

export interface Means {
  readonly fetch: typeof fetch;
  /** All addresses of a name. */
  readonly lookup: (host: string) => Promise<readonly string[]>;
  readonly now: () => number;
  /** Of one question. */
  readonly patienceMs: number;
  /** PEM; the system's and `NODE_EXTRA_CA_CERTS` unless given. */
  readonly authorities?: readonly string[];
  readonly disk: (folder: string) => DiskReading;
  /** Of a process: how many files it may have open, and has; undefined: not known. */
  readonly openFiles: (pid: number | 'self') => { readonly most: number; readonly open: number } | undefined;
}

export const systemMeans: Means = {
  fetch,
  lookup: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  now: Date.now,
  patienceMs: 10_000,
  disk(folder) {
    const { bavail, blocks, bsize } = statfsSync(folder);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  },
  openFiles(pid) {
    try {
      const [, most = ''] =
        /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8')) ?? [];
      const open = readdirSync(`/proc/${pid}/fd`).length;
      return { most: most === 'unlimited' ? Number.POSITIVE_INFINITY : Number(most), open };
    } catch {
      return undefined;
    }
  },
};
