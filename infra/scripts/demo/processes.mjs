// The demo's real processes: the server and the command line, each started, watched, and ended by its own process id.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { root } from '../build.mjs';

const SERVER = join(root, 'apps/solo/dist/main.js');
const SEALWIRE = join(root, 'apps/cli/bin/sealwire.mjs');
const PATIENCE_MS = 20_000;

const running = new Set();

/** A port that is free now. */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Ends everything that is still running, by process id. */
export async function endAll() {
  await Promise.all([...running].map((child) => end(child, 'SIGKILL')));
}

/** Starts the server and waits until it is ready. */
export async function startServer({ port, folder, publicOrigin }) {
  const args = [SERVER, '--listen', `127.0.0.1:${port}`, '--data-dir', folder, '--public-origin', publicOrigin];
  const child = start(args, { LOG_LEVEL: 'error' });
  const origin = `http://127.0.0.1:${port}`;
  await until('the server is ready', child, async () => (await fetch(`${origin}/readyz`)).ok);
  return {
    pid: child.pid,
    origin,
    kill: () => end(child, 'SIGKILL'),
    stop: () => end(child, 'SIGTERM'),
  };
}

/** A person with a machine of her own: folders for configuration and keys, and a passphrase in a file that only she can read. */
export function person(name, folder, server) {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const passphraseFile = join(home, 'passphrase');
  writeFileSync(passphraseFile, `the long passphrase of ${name}\n`, { mode: 0o600 });
  const environment = {
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
    SEALWIRE_SERVER: server,
    SEALWIRE_PASSPHRASE_FILE: passphraseFile,
    NO_COLOR: '1',
  };
  return {
    name,
    /** Runs one command to its end. */
    async run(...args) {
      const child = start([SEALWIRE, ...args], environment);
      child.stdin.end();
      await ended(child);
      return { code: child.exitCode, stdout: child.output.stdout, stderr: child.output.stderr };
    },
    /** Starts a command that stays, such as `chat`. */
    open(...args) {
      const child = start([SEALWIRE, ...args], environment);
      return {
        /** Resolves when the program has its keys open and reads what is typed. */
        opened: () => until(`${name} opens`, child, () => child.output.stderr.includes('chatting with')),
        type: (line) => child.stdin.write(`${line}\n`),
        /** Resolves when `line` has been printed. */
        shows: (line) => until(`${name} reads "${line}"`, child, () => linesOf(child).includes(line)),
        /** How often `line` has been printed. */
        count: (line) => linesOf(child).filter((printed) => printed === line).length,
        /** End of input, as Ctrl-D: the command ends by itself. */
        async hangUp() {
          child.stdin.end();
          await ended(child);
          return child.exitCode;
        },
      };
    },
  };
}

function start(args, environment) {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...environment }, stdio: 'pipe' });
  child.output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'])
    child[name].setEncoding('utf8').on('data', (text) => {
      child.output[name] += text;
    });
  // Whoever types into a program that has just ended learns that from its exit code.
  child.stdin.on('error', () => {});
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

function linesOf(child) {
  return child.output.stdout.split('\n');
}

async function end(child, signal) {
  if (!running.has(child)) return;
  const closed = once(child, 'close');
  child.kill(signal);
  await closed;
}

async function ended(child) {
  if (!running.has(child)) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  await once(child, 'close');
  clearTimeout(timer);
}

/** Asks until `isSo` answers true; rejects with what the process said when it ends or takes too long. */
async function until(what, child, isSo) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    if (await Promise.resolve(isSo()).catch(() => false)) return;
    if (!running.has(child)) throw new Error(`${what}: the process ended (${child.exitCode}): ${child.output.stderr}`);
    if (Date.now() > deadline) throw new Error(`${what}: not within ${PATIENCE_MS / 1000} s: ${child.output.stderr}`);
    await pause(25);
  }
}
