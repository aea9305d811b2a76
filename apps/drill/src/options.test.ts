import { describe, expect, it } from '@jest/globals';
import { foreign } from './cluster/embedded.ts';
import { FAULTS, faultsFor } from './faults/all.ts';
import { parseOptions } from './options.ts';

describe('the command line', () => {
  it('has its defaults', () => {
    expect(parseOptions([], '/home/me')).toMatchObject({ minutes: 10, faults: [], embedded: false, sockets: 2_000 });
  });

  it.each<[string, string[]]>([
    ['--minutes: a number from 0 on, not "soon"', ['--minutes=soon']],
    ['--people: a number from 2 on, not "1"', ['--people=1']],
    ['--embedded and --against: choose one of them', ['--embedded', '--against=https://chat.example.org']],
    ['--against: an address like https://chat.example.org, not "chat"', ['--against=chat']],
  ])('%s', (text, argv) => {
    expect(() => parseOptions(argv, '/home/me')).toThrow(text);
  });
});

describe('the faults', () => {
  const theirs = foreign('https://chat.example.org');

  it('of somebody’s deployment are those that harm no server', () => {
    expect(faultsFor(theirs, []).map(({ name }) => name)).toEqual(['cut-clients', 'reconnect-storm']);
    expect(() => faultsFor(theirs, ['kill-relay'])).toThrow('no fault "kill-relay" here; there are: cut-clients,');
  });

  it('have names of their own', () => {
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
  });
});
