/** The history file: what is read is what was written, and what cannot be judged is not passed over. */
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HistoryEvent } from './events.ts';
import { History, readHistory } from './history.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-history-'));
  path = join(folder, 'history.jsonl');
});

afterEach(() => rmSync(folder, { recursive: true }));

async function written(): Promise<void> {
  let now = 1;
  const history = new History(path, () => now++);
  history.record({ event: 'begin', settings: {} });
  history.record({ event: 'end' });
  await history.close();
}

async function read(): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  for await (const event of readHistory(path)) events.push(event);
  return events;
}

describe('a history', () => {
  it('is read as it was written, and is its owner’s alone', async () => {
    await written();
    expect(await read()).toEqual([
      { at: 1, event: 'begin', settings: {} },
      { at: 2, event: 'end' },
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['that was cut off', '{"at":3,"event":"en'],
    ['of a kind that is not known', '{"at":3,"event":"novelty"}'],
    ['that is no object', '7'],
  ])('with a line %s is refused by its number', async (_name, line) => {
    await written();
    appendFileSync(path, line);
    await expect(read()).rejects.toThrow(`${path}: line 3 is no event`);
  });

  it('that is not there is told in one line', async () => {
    await expect(read()).rejects.toThrow(`--check: ${path} cannot be read (ENOENT): name a history file`);
  });
});
