/** Real processes that want one folder: one has it, and a dead one is in nobody's way. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { openLmdbStore } from '../lmdb.ts';
import { Child } from '../testing/child.ts';
import { type FolderOwner, ownFolder } from './folder-owner.ts';

jest.setTimeout(60_000);

let folder: string;
const children: Child[] = [];
const servers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-owner-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) await child.kill();
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true });
});

async function owningChild(): Promise<Child> {
  const child = new Child('folder-contender.ts', [folder, '0']);
  children.push(child);
  expect(await child.line()).toBe('owns');
  return child;
}

const sockets = () => readdirSync(folder).filter((name) => name.includes('.sock'));

describe('a data folder', () => {
  it('belongs to one process at a time; the other one names folder, process and fix in one line', async () => {
    const child = await owningChild();
    const error = await openLmdbStore({ path: folder }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'StoreError', kind: 'unavailable' });
    expect((error as Error).message).toBe(
      `the data folder ${folder} is in use by process ${child.pid}, and one process at a time owns a folder; stop it, or choose another folder`,
    );
    // Who was refused leaves nothing behind, and has not touched the folder.
    expect(readdirSync(folder)).toEqual(sockets());
    expect(sockets()).toHaveLength(1);
  });

  it('of an owner that was killed is free, whatever process has its id now', async () => {
    const child = await owningChild();
    await child.kill();
    const [stale] = sockets() as [string];
    renameSync(join(folder, stale), join(folder, stale.replace(String(child.pid), String(process.pid))));
    const store = await openLmdbStore({ path: folder });
    expect(sockets()).toHaveLength(1);
    await store.close();
    expect(sockets()).toEqual([]);
  });

  it('of a living owner is not free, though no process here has its id: it may be another container’s', async () => {
    const child = await owningChild();
    const [name] = sockets() as [string];
    renameSync(join(folder, name), join(folder, name.replace(String(child.pid), '4194999')));
    await expect(ownFolder(folder)).rejects.toThrow('process 4194999');
  });

  it('of an owner that does not come to answer is not free', async () => {
    const child = await owningChild();
    child.signal('SIGSTOP');
    await expect(ownFolder(folder)).rejects.toThrow(`process ${child.pid}`);
  });

  it('is refused to a second store of the same process, and free when the first one is closed', async () => {
    const store = await openLmdbStore({ path: folder });
    await expect(openLmdbStore({ path: folder })).rejects.toThrow(`process ${process.pid}`);
    await store.close();
    await (await openLmdbStore({ path: folder })).close();
  });

  it('that cannot be opened is not owned afterwards', async () => {
    writeFileSync(join(folder, 'data.mdb'), 'no database '.repeat(2_000));
    await expect(openLmdbStore({ path: folder })).rejects.toThrow('no LMDB database');
    expect(sockets()).toEqual([]);
  });

  it('has one owner also where its path is longer than the address of a socket', async () => {
    folder = join(folder, 'a'.repeat(120));
    mkdirSync(folder);
    const owner = await ownFolder(folder);
    await expect(ownFolder(folder)).rejects.toThrow(`process ${process.pid}`);
    owner.release();
    expect(readdirSync(folder)).toEqual([]);
    (await ownFolder(folder)).release();
    folder = join(folder, '..');
  });
});

describe('of many that want a folder at the same moment', () => {
  it('exactly one gets it, in one process', async () => {
    for (let round = 0; round < 40; round++) {
      const results = await Promise.allSettled(Array.from({ length: 6 }, () => ownFolder(folder)));
      const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(winners).toHaveLength(1);
      (winners[0] as FolderOwner).release();
      expect(sockets()).toEqual([]);
    }
  });

  /** One that has shown its socket and has not decided yet; its connection once it is asked. */
  async function rival(name: string): Promise<{ asked: Promise<Socket> }> {
    const server = createServer().listen(join(folder, name));
    servers.push(server);
    await once(server, 'listening');
    return { asked: once(server, 'connection').then(([socket]) => socket as Socket) };
  }

  it.each([
    ['wins', 'refused', (socket: Socket) => socket.end('owned')],
    ['gives up', 'the owner', (socket: Socket) => socket.destroy()],
  ])('the smaller name waits for the larger one: when that %s it is %s', async (_, outcome, decide) => {
    const { asked } = await rival('owner.99999999.z.sock');
    const settled = ownFolder(folder).then(
      (owner) => {
        owner.release();
        return 'the owner';
      },
      () => 'refused',
    );
    decide(await asked);
    expect(await settled).toBe(outcome);
  });

  it('the larger name gives up', async () => {
    const { asked } = await rival('owner.0.a.sock');
    await expect(ownFolder(folder)).rejects.toThrow('process 0');
    await once(await asked, 'close');
  });

  it('never two have it, in several processes, with dead ones among them', async () => {
    const dead = await owningChild();
    await dead.kill();
    const contenders = [1, 2, 3, 4].map(() => new Child('folder-contender.ts', [folder, '150']));
    const lines = (await Promise.all(contenders.map((child) => child.rest()))).flat();
    expect(lines.filter((line) => line === 'both')).toEqual([]);
    const total = (what: string) =>
      lines.reduce((sum, line) => sum + (line.startsWith(what) ? Number(line.split(' ')[1]) : 0), 0);
    expect(total('won') + total('lost')).toBe(4 * 150);
    expect(total('won')).toBeGreaterThan(0);
    expect(sockets()).toEqual([]);
  });
});

it('a folder is owned, and a question answered, without keeping the process alive', async () => {
  const child = new Child('folder-contender.ts', [folder, '1']);
  expect(await child.rest()).toEqual(['won 1', 'lost 0']);
  const owner = await ownFolder(folder);
  const socket = connect(join(folder, sockets()[0] as string));
  const heard = await new Promise((resolve) => socket.once('data', resolve));
  expect(String(heard)).toBe('owned');
  owner.release();
});
