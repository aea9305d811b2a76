/** A disk that gets full refuses what fills it, in order: by an injected reading. */
import { describe, expect, it } from '@jest/globals';
import { type DiskReading, DiskWatch, folderOfUrl } from './disk-watch.ts';
import { createMetrics } from './metrics.ts';

const MIB = 1_048_576;
const TOTAL = 1_000_000 * MIB;

function watched(folders: { store?: string; blobs?: string } = { store: '/s', blobs: '/b' }) {
  const free: Record<string, number> = { '/s': TOTAL, '/b': TOTAL };
  const said: [string, string, string | undefined][] = [];
  let [time, reads] = [0, 0];
  const metrics = createMetrics();
  const say = (level: string) => (event: string, fields?: { reason?: string }) => {
    said.push([level, event, fields?.reason]);
  };
  const watch = new DiskWatch({
    folders,
    uploadsStopBelow: 1_024 * MIB,
    messagesStopBelow: 128 * MIB,
    now: () => time,
    log: { debug() {}, info() {}, warn: say('warn'), error: say('error') },
    metrics,
    read(folder): DiskReading {
      reads++;
      if (free[folder] === undefined) throw new Error('gone');
      return { freeBytes: free[folder], totalBytes: TOTAL };
    },
  });
  const refuses = () => [watch.refusesUpload(), watch.refusesAccount(), watch.refusesMessage()];
  return {
    watch,
    free,
    said,
    metrics,
    reads: () => reads,
    at(mib: { store?: number; blobs?: number }) {
      time += 1_000;
      if (mib.store !== undefined) free['/s'] = mib.store * MIB;
      if (mib.blobs !== undefined) free['/b'] = mib.blobs * MIB;
      return refuses();
    },
    refuses,
  };
}

describe('a disk that gets full', () => {
  it('T212: refuses files and accounts first, messages last, and takes all again', async () => {
    const { at, said, metrics } = watched();
    expect(at({})).toEqual([false, false, false]);
    expect(at({ store: 1_023 })).toEqual([true, true, false]);
    expect(at({ store: 127 })).toEqual([true, true, true]);
    // A little more is no end of it.
    expect(at({ store: 129 })).toEqual([true, true, true]);
    expect(at({ store: 150 })).toEqual([true, true, false]);
    expect(at({ store: 1_030 })).toEqual([true, true, false]);
    expect(at({ store: 2_000 })).toEqual([false, false, false]);
    expect(said.map(([level, event]) => [level, event])).toEqual([
      ['warn', 'disk-nearly-full'],
      ['error', 'disk-nearly-full'],
      ['warn', 'disk-nearly-full'],
      ['warn', 'disk-has-space'],
    ]);
    const text = await metrics.text();
    expect(text).toContain('sealwire_disk_free_bytes{disk="store"} 2097152000');
    expect(text).toContain('sealwire_disk_refusals_total{what="message"} 2');
    expect(text).toContain('sealwire_disk_refusals_total{what="account"} 5');
  });

  it('that holds files alone refuses files alone', () => {
    const { at, said } = watched();
    expect(at({ blobs: 1 })).toEqual([true, false, false]);
    expect(said).toEqual([['warn', 'disk-nearly-full', 'new files are refused until some is free']]);
  });

  it('is looked at once a second, also when the clock goes back, and not at all where no folder is', () => {
    const { watch, reads, refuses, free } = watched();
    refuses();
    refuses();
    expect(reads()).toBe(2);
    free['/s'] = 0;
    expect(watch.refusesMessage()).toBe(false);
    const none = watched({});
    expect([none.at({ store: 0, blobs: 0 }), none.reads()]).toEqual([[false, false, false], 0]);
  });

  it('refuses nothing for want of an answer, nor of a small disk while a part of it is free', () => {
    const { at, free } = watched();
    delete free['/s'];
    expect(at({})).toEqual([false, false, false]);
    const small = new DiskWatch({
      folders: { store: '/s' },
      uploadsStopBelow: 1_024 * MIB,
      messagesStopBelow: 128 * MIB,
      now: () => 0,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      metrics: createMetrics(),
      read: () => ({ freeBytes: 11 * MIB, totalBytes: 100 * MIB }),
    });
    expect([small.refusesUpload(), small.refusesMessage()]).toEqual([false, false]);
  });

  it('is the one of a URL that names a folder', () => {
    expect(['lmdb:./data', 'file:/b', 'mongodb://h/d', 's3+https://h/b', 'memory:'].map(folderOfUrl)).toEqual([
      './data',
      '/b',
      undefined,
      undefined,
      undefined,
    ]);
  });
});
