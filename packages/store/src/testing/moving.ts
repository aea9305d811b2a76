/** A data folder and the database that it moves into, both new for each test of a file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, jest } from '@jest/globals';
import { NOW, nameAnew } from '../contract/fixture.ts';
import { type CopyResult, type CopyTerms, copyStore } from '../copying.ts';
import { openLmdbStore } from '../lmdb.ts';
import { Engine } from '../mongo/engine.ts';
import { openMongoStore } from '../mongo.ts';
import type { Store } from '../port.ts';
import { emptyDatabase, testDatabase } from './mongo-database.ts';

export interface Move {
  folder(): string;
  /** The database. */
  readonly url: string;
  /** The folder’s store, which the test closes before it copies. */
  source(): Promise<Store>;
  /** The database’s. */
  moved(): Promise<Store>;
  copy(terms?: Partial<CopyTerms>): Promise<CopyResult>;
  /** Ends once the first accounts are there. */
  copyHalf(): Promise<unknown>;
  /** To look into the database, beside any store. */
  engine(): Promise<Engine>;
}

/**
 * Tests of what moves into the database `name`, which is for this file alone and which each of them finds empty. Without a server
 * they are skipped, aloud.
 */
export function describeMoves(title: string, name: string, tests: (move: Move) => void): void {
  const url = testDatabase(name);
  (url === undefined ? describe.skip : describe)(`${title} (skipped without MONGODB_URI)`, () => {
    jest.setTimeout(120_000);
    tests(eachMove(url!));
  });
}

function eachMove(url: string): Move {
  let folder: string;
  let opened: { close(): Promise<void> }[];

  beforeEach(async () => {
    nameAnew();
    folder = await mkdtemp(join(tmpdir(), 'sealwire-copy-'));
    opened = [];
    await emptyDatabase(url);
  });

  afterEach(async () => {
    for (const one of opened) await one.close();
    await emptyDatabase(url);
    await rm(folder, { recursive: true });
  });

  function closedLater<One extends { close(): Promise<void> }>(one: One): One {
    opened.push(one);
    return one;
  }

  const copy = (terms: Partial<CopyTerms> = {}) =>
    copyStore({ from: `lmdb:${folder}`, to: url, now: NOW, production: false, ...terms });

  return {
    folder: () => folder,
    url,
    source: async () => closedLater(await openLmdbStore({ path: folder })),
    moved: async () => closedLater((await openMongoStore({ url, production: false })).store),
    copy,
    async copyHalf() {
      const error = await copy({ report: (doing) => doing === 'copying' }).catch((reason: unknown) => reason);
      if (!String(error).includes('the same command goes on')) throw error;
    },
    engine: async () => closedLater(await Engine.connect({ url, production: false })),
  };
}
