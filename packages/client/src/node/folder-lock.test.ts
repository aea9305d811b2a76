/** One owner a folder, however many want it and whatever the dead have left (case F17). */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { runSource } from '../testing/source-process.ts';
import { lockFolder } from './folder-lock.ts';

jest.setTimeout(60_000);

const children: ChildProcess[] = [];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-lock-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const files = () => readdirSync(folder).sort();
const leave = (...names: string[]) => {
  for (const name of names) writeFileSync(join(folder, name), '');
};
const lockedBy = (pid: number) =>
  expect.objectContaining({ code: 'locked', message: expect.stringContaining(`process ${pid} `) });
/** `lock.PID.START.` of this process. */
function ownPrefix(): string {
  const lock = lockFolder(folder);
  const [name = ''] = files();
  lock.release();
  return name.slice(0, name.lastIndexOf('.') + 1);
}

async function contend(rounds: number): Promise<string[]> {
  const child = runSource('./folder-contender.ts', [folder, String(rounds)]);
  children.push(child);
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout! })) lines.push(line);
  if (child.exitCode === null) await once(child, 'exit');
  expect(child.exitCode).toBe(0);
  return lines;
}

describe('a lock', () => {
  it('names its owner, and leaves nothing when it is released, twice too', () => {
    const lock = lockFolder(folder);
    expect(files()).toHaveLength(2);
    expect(() => lockFolder(folder)).toThrow(lockedBy(process.pid));
    expect(files()).toHaveLength(2);
    lock.release();
    lock.release();
    expect(files()).toEqual([]);
  });

  it('of a process whose id was given to another one is not believed', () => {
    const [, pid, start] = ownPrefix().split('.');
    // Where the start of a process is not known, nothing tells the two apart.
    if (start === '0') return;
    const name = `lock.${pid}.${Number(start) + 1}.1`;
    leave(name, `${name}.held`);
    lockFolder(folder).release();
    expect(files()).toEqual([]);
  });

  it('of a dead process is removed, whole or in part', () => {
    leave('lock.4194999.1.1', 'lock.4194999.1.1.held', 'lock.4194999.1.2', 'lock.4194999.1.3.held');
    lockFolder(folder).release();
    expect(files()).toEqual([]);
  });

  it('of a living owner holds, whether its name is smaller or larger', () => {
    for (const number of [0, 9_999]) {
      const name = `${ownPrefix()}${number}`;
      leave(name, `${name}.held`);
      expect(() => lockFolder(folder)).toThrow(lockedBy(process.pid));
      expect(files()).toEqual([name, `${name}.held`]);
      for (const file of files()) rmSync(join(folder, file));
    }
  });
});

describe('of several that want a folder at the same moment', () => {
  it('the larger name gives up for one that has not won yet', () => {
    const name = `${ownPrefix()}0`;
    leave(name);
    expect(() => lockFolder(folder)).toThrow(lockedBy(process.pid));
    expect(files()).toEqual([name]);
  });

  it('never two have it, in several processes, with dead ones among them', async () => {
    leave('lock.4194999.1.1', 'lock.4194999.1.1.held');
    const lines = (await Promise.all(Array.from({ length: 4 }, () => contend(150)))).flat();
    expect(lines).not.toContain('both');
    const won = lines.map((line) => Number(line.slice('won '.length)));
    expect(won).toHaveLength(4);
    expect(Math.max(...won)).toBeGreaterThan(0);
    expect(files()).toEqual([]);
  });
});
