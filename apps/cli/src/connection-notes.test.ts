import { describe, expect, it } from '@jest/globals';
import type { ConnectionState } from '@sealwire/client/events';
import { AWAY, BACK, connectionNotes } from './connection-notes.ts';

function notesOn(...states: ConnectionState[]): string[] {
  const notes: string[] = [];
  const listener = connectionNotes((text) => notes.push(text));
  for (const state of states) listener(state);
  return notes;
}

describe('connectionNotes', () => {
  it('says nothing of the first connection, nor of the end', () => {
    expect(notesOn('connecting', 'online', 'stopped')).toEqual([]);
  });

  it('says once that the server is away, and once that it is back, for each loss', () => {
    expect(notesOn('connecting', 'online', 'connecting', 'online')).toEqual([AWAY, BACK]);
    expect(notesOn('connecting', 'online', 'connecting', 'online', 'connecting')).toEqual([AWAY, BACK, AWAY]);
  });
});
