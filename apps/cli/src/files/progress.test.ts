import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { Output } from '../output.ts';
import { byteCount } from './byte-count.ts';
import { mediaTypeOf } from './media-type.ts';
import { Progress, progressLine } from './progress.ts';

const MIB = 1_048_576;

describe('a number of bytes', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [1_023, '1023 bytes'],
    [1_024, '1.0 KiB'],
    [1_048_575, '1.0 MiB'],
    [2 * 1_024 * MIB, '2.0 GiB'],
    [2 ** 40, '1.0 TiB'],
  ])('%i is %s', (bytes, text) => expect(byteCount(bytes)).toBe(text));
});

describe('the media type', () => {
  it('is that of the extension', () => {
    expect(mediaTypeOf('photo.JPG')).toBe('image/jpeg');
    expect(mediaTypeOf('a.tar.gz')).toBe('application/gzip');
    for (const name of ['none', 'x.zzzz', '.bashrc']) expect(mediaTypeOf(name)).toBe('application/octet-stream');
  });
});

describe('a line of progress', () => {
  it('has the share, the rate and the time that is left', () => {
    expect(progressLine('a.bin', 50 * MIB, 200 * MIB, 10 * MIB, 79)).toBe(
      'a.bin [######..................] 25 % 10.0 MiB/s, 0:15 left',
    );
    expect(progressLine('empty', 0, 0, undefined, 79)).toContain('100 %');
    expect(progressLine('slow', 0, 2 ** 40, 4 * MIB, 79)).toContain(', 72:49:04 left');
  });

  it.each([10, 30, 60, 79, 200])('is not longer than %i columns, whatever the name', (columns) => {
    for (const rate of [undefined, 1, 5e9])
      expect(progressLine('n'.repeat(255), 1, 2 ** 40, rate, columns).length).toBeLessThanOrEqual(columns);
  });
});

describe('progress', () => {
  const on = (isTTY: boolean, json: boolean, stdout: Writable = new PassThrough()) => {
    const stderr = Object.assign(new PassThrough(), { isTTY, columns: 80 });
    const output = new Output({ stdout, stderr, json, color: false });
    let time = 0;
    const progress = new Progress({ output, stderr, now: () => time, kind: 'upload', name: 'a\u001b.bin' });
    const report = (at: number, done: number) => {
      time = at;
      progress.report(done, 10 * MIB);
    };
    return { progress, report, stderr, stdout };
  };

  it('is drawn on a terminal, ten times a second at most, with the rate of the last seconds, and gone at its end', () => {
    const { progress, report, stderr } = on(true, false);
    for (let at = 0; at < 1_000; at += 10) report(at, at * 1_024);
    const drawn = String(stderr.read()).split('\u001b[1G').slice(1);
    expect(drawn).toHaveLength(10);
    expect(drawn.at(-1)).toContain('a\\u{1b}.bin');
    expect(drawn.at(-1)).toContain(' 8 % 1000.0 KiB/s');
    // Ten seconds without a byte.
    report(11_000, 900 * 1_024);
    report(11_100, 1_000 * 1_024);
    expect(String(stderr.read())).toContain('1000.0 KiB/s');
    progress.end();
    expect(stderr.read()).toEqual(Buffer.from('\u001b[1G\u001b[2K'));
  });

  it('is nothing in a pipe', () => {
    const { progress, report, stderr, stdout } = on(false, false);
    report(0, 1);
    report(5_000, 10 * MIB);
    progress.end();
    expect([stderr.read(), (stdout as PassThrough).read()]).toEqual([null, null]);
  });

  it('is a record each second with --json, and does not wait for who reads them', async () => {
    const held: (() => void)[] = [];
    const said: string[] = [];
    const stdout = new Writable({
      decodeStrings: false,
      write: (text: string, _encoding, done) => {
        said.push(text);
        held.push(done);
      },
    });
    const { report } = on(true, true, stdout);
    for (let at = 0; at <= 3_000; at += 250) report(at, at);
    expect(said).toEqual(['{"event":"upload-progress","name":"a\\u001b.bin","bytes":0,"of":10485760}\n']);
    held.shift()!();
    await new Promise(setImmediate);
    report(3_500, 3_500);
    report(4_000, 4_000);
    expect(said.slice(1)).toEqual([expect.stringContaining('"bytes":4000')]);
  });
});
