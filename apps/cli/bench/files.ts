/**
 * A file by the command line, from a disk to a disk, beside curl with the same bytes and without encryption, and beside raw AES-256-GCM:
 * `npm run bench:files -w apps/cli -- [--bytes=2147483648] [--folder=/tmp] [--s3=http://127.0.0.1:28300]`. Linux.
 */
import { spawn } from 'node:child_process';
import { createCipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FROM_SOURCE, type Measured, measured, type Usage, usageOf } from './measured-process.ts';
import { people, startServer } from './world.ts';

const PORT = 28_440;
const PIECE_BYTES = 65_504;
const MIB = 1_048_576;
/** Of the test engine's script. */
const S3_KEY = 'sealwire';
const S3_SECRET = 'sealwire-secret';
/** As our own URLs are; curl does not say it by itself. */
const UNSIGNED = 'x-amz-content-sha256: UNSIGNED-PAYLOAD';

const { values } = parseArgs({
  options: {
    bytes: { type: 'string', default: String(2 ** 31) },
    folder: { type: 'string', default: tmpdir() },
    s3: { type: 'string' },
  },
});
const bytes = Number(values.bytes);
const folder = mkdtempSync(join(values.folder, 'sealwire-bench-'));
const [big, small, got] = ['big.bin', 'small.bin', 'got.bin'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];

const shown = (number: number) => number.toFixed(number < 10 ? 2 : 0);

function makeFiles(): void {
  // What no file system and no link makes shorter; a mebibyte repeats, which nobody looks for.
  const piece = randomBytes(MIB);
  const file = openSync(big, 'w');
  for (let left = bytes; left > 0; left -= piece.length) writeSync(file, piece, 0, Math.min(left, piece.length));
  closeSync(file);
  writeFileSync(small, 'x');
}

/** Processor seconds for all of the file. */
function rawCipher(): number {
  const [key, nonce, piece] = [randomBytes(32), randomBytes(12), randomBytes(PIECE_BYTES)];
  const before = process.cpuUsage();
  for (let done = 0; done < bytes; done += piece.length) {
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.update(piece);
    cipher.final();
    cipher.getAuthTag();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

interface Row {
  readonly what: string;
  readonly ours: Measured;
  /** The same with a file of one byte: start, login, message. */
  readonly start: Measured;
  readonly server: Usage;
  readonly curl: Peer;
}

/** `processorSeconds` of curl and of the server that it spoke to, where that is a bare one. */
interface Peer {
  readonly seconds: number;
  readonly processorSeconds: number;
}

async function rows(
  place: string,
  data: string,
  options: readonly string[],
  env: Record<string, string>,
): Promise<Row[]> {
  mkdirSync(data);
  const server = await startServer(join(data, 'server'), PORT, options, env);
  try {
    const { sealwire } = await people(data, `http://127.0.0.1:${PORT}`);
    const before = usageOf(server.pid);
    const start = await sealwire('alice', 'send', '-t', 'bob', '--file', small);
    const sent = await sealwire('alice', 'send', '-t', 'bob', '--file', big);
    const uploaded = usageOf(server.pid);
    await sealwire('bob', 'listen', '--until-caught-up');
    const startToo = await sealwire('bob', 'file', 'get', '1', '-o', got);
    const fetched = await sealwire('bob', 'file', 'get', '2', '-o', got, '--force');
    const downloaded = usageOf(server.pid);
    await measured('cmp', [big, got], {});
    rmSync(got);
    const [put, gave] = place === 'S3' ? await curlS3() : await curlBare();
    return [
      { what: `${place}: send`, ours: sent, start, server: between(before, uploaded), curl: put },
      { what: `${place}: get`, ours: fetched, start: startToo, server: between(uploaded, downloaded), curl: gave },
    ];
  } finally {
    await server.end('SIGTERM');
    rmSync(data, { recursive: true });
  }
}

function between(before: Usage, after: Usage): Usage {
  return { peakMiB: after.peakMiB, processorSeconds: after.processorSeconds - before.processorSeconds };
}

async function curlBare(): Promise<[Peer, Peer]> {
  const file = join(folder, 'bare.bin');
  const url = `http://127.0.0.1:${PORT + 1}/file`;
  const script = fileURLToPath(new URL('bare-server.ts', import.meta.url));
  const child = spawn(process.execPath, [...FROM_SOURCE, script, String(PORT + 1), file]);
  const pid = child.pid as number;
  const both = (curl: Measured, from: Usage, to: Usage): Peer => ({
    seconds: curl.seconds,
    processorSeconds: curl.processorSeconds + between(from, to).processorSeconds,
  });
  try {
    await once(child.stdout, 'data');
    const before = usageOf(pid);
    const put = await measured('curl', ['-sSf', '-T', big, url], {});
    const middle = usageOf(pid);
    const gave = await measured('curl', ['-sSf', '-o', got, url], {});
    return [both(put, before, middle), both(gave, middle, usageOf(pid))];
  } finally {
    child.kill('SIGTERM');
    for (const each of [file, got]) rmSync(each, { force: true });
  }
}

async function curlS3(): Promise<[Peer, Peer]> {
  const signed = ['-sSf', '--aws-sigv4', 'aws:amz:us-east-1:s3', '--user', `${S3_KEY}:${S3_SECRET}`, '-H', UNSIGNED];
  const bucket = `${values.s3}/sealwire-bench-curl`;
  await measured('curl', [...signed, '-X', 'PUT', bucket], {});
  try {
    const put = await measured('curl', [...signed, '-T', big, `${bucket}/file`], {});
    const gave = await measured('curl', [...signed, '-o', got, `${bucket}/file`], {});
    return [put, gave];
  } finally {
    rmSync(got, { force: true });
    await measured('curl', [...signed, '-X', 'DELETE', `${bucket}/file`], {});
    await measured('curl', [...signed, '-X', 'DELETE', bucket], {});
  }
}

function show(all: readonly Row[], raw: number): void {
  for (const { what, ours, start, server, curl } of all) {
    const seconds = ours.seconds - start.seconds;
    const processor = ours.processorSeconds - start.processorSeconds;
    const cells = [
      seconds,
      bytes / MIB / seconds,
      seconds / curl.seconds,
      processor,
      processor / raw,
      server.processorSeconds,
      curl.processorSeconds,
      ours.peakMiB,
      server.peakMiB,
    ];
    console.log(`| ${what} | ${cells.map(shown).join(' | ')} |`);
  }
}

try {
  makeFiles();
  const raw = rawCipher();
  console.log(
    `${bytes} bytes; raw AES-256-GCM takes ${shown(raw)} s of a processor, ${shown(bytes / MIB / raw)} MiB/s`,
  );
  const heads = ['s', 'MiB/s', 's, to curl', 'processor s', 'to raw AES', 'server', 'curl', 'peak MiB', 'server'];
  console.log(`| what | ${heads.join(' | ')} |`);
  show(await rows('folder', join(folder, 'folder'), [], {}), raw);
  if (values.s3 !== undefined) {
    const secret = join(folder, 's3-secret');
    writeFileSync(secret, S3_SECRET, { mode: 0o600 });
    const url = `${values.s3.replace(/^http/, 's3+http')}/sealwire-bench`;
    const options = ['--blobs-url', url, '--blobs-access-key', S3_KEY];
    show(await rows('S3', join(folder, 's3'), options, { BLOBS_SECRET_KEY_FILE: secret }), raw);
  }
} finally {
  rmSync(folder, { recursive: true });
}
