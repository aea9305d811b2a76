import { EventEmitter, once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { silentLog } from '../observe/log.ts';
import { ConfigError } from './config.ts';
import { loadOrCreateSecret } from './secret-file.ts';
import { onShutdown } from './shutdown.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealwire-service-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('loadOrCreateSecret', () => {
  let next = 1;
  const random = (length: number) => new Uint8Array(length).fill(next++);

  it('makes the secret once, for its owner only, and leaves nothing else behind', () => {
    const file = join(folder, 'a', 'token.key');
    const secret = loadOrCreateSecret(file, 32, random);
    expect(secret).toHaveLength(32);
    expect(loadOrCreateSecret(file, 32, random)).toEqual(secret);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'a'))).toEqual(['token.key']);
  });

  it('lets the one that was first win', () => {
    const file = join(folder, 'raced.key');
    const winner = (length: number) => new Uint8Array(length).fill(200);
    // Another process makes the file while this one draws its bytes.
    const late = (length: number) => {
      if (length === 32) loadOrCreateSecret(file, 32, winner);
      return random(length);
    };
    expect(loadOrCreateSecret(file, 32, late)).toEqual(new Uint8Array(32).fill(200));
  });

  it('refuses a file that others may read, and a damaged one, without quoting it', () => {
    const file = join(folder, 'open.key');
    writeFileSync(file, 'hunter2');
    chmodSync(file, 0o644);
    expect(() => loadOrCreateSecret(file, 32, random)).toThrow(/readable by other users .* chmod 600/);
    chmodSync(file, 0o600);
    expect(() => loadOrCreateSecret(file, 32, random)).toThrow(ConfigError);
    expect(() => loadOrCreateSecret(file, 32, random)).not.toThrow(/hunter2/);
  });
});

describe('onShutdown', () => {
  it('drains once at the first signal, and ends at once at the second', async () => {
    const signals = new EventEmitter();
    const exits: number[] = [];
    let stops = 0;
    onShutdown({ stop: () => new Promise(() => stops++), log: silentLog, signals, exit: (code) => exits.push(code) });
    signals.emit('SIGTERM');
    expect([stops, exits]).toEqual([1, []]);
    signals.emit('SIGINT');
    expect([stops, exits]).toEqual([1, [1]]);
  });

  it('takes the echo of a signal for what it is: npm passes on the Ctrl-C that the terminal sent already', () => {
    const signals = new EventEmitter();
    const exits: number[] = [];
    let now = 1_000;
    const exit = (code: number) => exits.push(code);
    onShutdown({ stop: () => new Promise(() => {}), log: silentLog, signals, exit, now: () => now });
    signals.emit('SIGINT');
    now += 149;
    signals.emit('SIGINT');
    expect(exits).toEqual([]);
    now += 1;
    signals.emit('SIGINT');
    expect(exits).toEqual([1]);
  });

  it('a second signal ends at once, though the clock was set back between the two', () => {
    const signals = new EventEmitter();
    const exits: number[] = [];
    let now = 1_000_000;
    const exit = (code: number) => exits.push(code);
    onShutdown({ stop: () => new Promise(() => {}), log: silentLog, signals, exit, now: () => now });
    signals.emit('SIGINT');
    now -= 500_000;
    signals.emit('SIGINT');
    expect(exits).toEqual([1]);
  });

  it('exits with 0 when all is done, with 1 when the end fails', async () => {
    for (const [stop, code] of [
      [() => Promise.resolve(), 0],
      [() => Promise.reject(new Error('x')), 1],
    ] as const) {
      const signals = new EventEmitter();
      const done = new EventEmitter();
      const exited = once(done, 'exit');
      onShutdown({ stop, log: silentLog, signals, exit: (value) => done.emit('exit', value) });
      signals.emit('SIGTERM');
      expect(await exited).toEqual([code]);
    }
  });
});
