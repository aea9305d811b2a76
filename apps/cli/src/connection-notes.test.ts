import { describe, expect, it } from '@jest/globals';
import type { ConnectionState } from '@sealwire/client/events';
import { AWAY, BACK, CONNECTED, connectionNotes } from './connection-notes.ts';

function notesOn(...happened: (ConnectionState | { cause: string })[]): string[] {
  const notes: string[] = [];
  const { state, trace } = connectionNotes((text) => notes.push(text));
  for (const each of happened)
    if (typeof each === 'string') state(each);
    else trace({ name: 'login-failed', code: 'unreachable', ...each });
  return notes;
}

describe('connectionNotes', () => {
  it('says nothing of the first connection, nor of the end', () => {
    expect(notesOn('connecting', 'online', 'stopped')).toEqual([]);
  });

  it('says once that the server is away, and once that it is back, for each loss', () => {
    expect(notesOn('connecting', 'online', 'connecting', 'online')).toEqual([AWAY, BACK]);
    const refused = { cause: 'ECONNREFUSED' };
    expect(notesOn('connecting', 'online', 'connecting', refused, 'online', 'connecting')).toEqual([AWAY, BACK, AWAY]);
  });

  it('says once why there was no connection from the start', () => {
    const expired = { cause: 'CERT_HAS_EXPIRED' };
    expect(notesOn('connecting', expired, expired, 'online')).toEqual([
      expect.stringContaining('its certificate has expired'),
      CONNECTED,
    ]);
  });
});
