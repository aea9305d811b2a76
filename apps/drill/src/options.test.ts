import { describe, expect, it } from '@jest/globals';
import { FAULTS } from './faults/all.ts';
import { HARMLESS_FAULTS } from './faults/clients.ts';
import { faultsFor } from './faults/fault.ts';
import { foreign } from './foreign.ts';
import { parseOptions, usageOf } from './options.ts';

const DEPLOYMENT = '--against=https://chat.example.org';

describe('the command line', () => {
  it('has its defaults', () => {
    expect(parseOptions([], '/home/me')).toMatchObject({
      ...{ minutes: 10, faults: [], embedded: false, sockets: 2_000, regions: 1, delayMs: 40 },
    });
  });

  it('asks less of a deployment: no more than its limits allow a stranger', () => {
    expect(parseOptions(['--against', 'https://chat.example.org/'], '/home/me', 'deployment')).toMatchObject({
      against: 'https://chat.example.org',
      minutes: 1,
      people: 4,
      rate: 5,
      sockets: 50,
    });
  });

  it.each<[string, string[]]>([
    ['--minutes: a number from 0 on, not "soon"', ['--minutes=soon']],
    ['--people: a number from 2 on, not "1"', ['--people=1']],
    ['--regions: 1 or 2, the latter without --embedded and --against', ['--regions=3']],
    ['--regions: 1 or 2, the latter without --embedded and --against', ['--regions=2', '--embedded']],
    ['--regions: 1 or 2, the latter without --embedded and --against', ['--regions=2', DEPLOYMENT]],
    ['--delay-ms: a number from 0 on, not "far"', ['--delay-ms=far']],
    ['--embedded and --against: choose one of them', ['--embedded', DEPLOYMENT]],
    ['--against: an address like https://chat.example.org, not "chat"', ['--against=chat']],
    ["Unknown option '--minuets': write --help for what there is", ['--minuets=3']],
    ["Unexpected argument 'now'", ['now']],
  ])('%s', (text, argv) => {
    expect(() => parseOptions(argv, '/home/me')).toThrow(text);
  });

  it.each<[string, string[]]>([
    ['--against: name your deployment, like --against=https://chat.example.org', []],
    ["Unknown option '--embedded'", ['--embedded']],
    ["Unknown option '--engines'", [DEPLOYMENT, '--engines=here']],
  ])('of the server’s command: %s', (text, argv) => {
    expect(() => parseOptions(argv, '/home/me', 'deployment')).toThrow(text);
  });

  it('of the server’s command judges, lists and helps without a deployment', () => {
    for (const word of ['--check=history.jsonl', '--list', '--help'])
      expect(() => parseOptions([word], '/home/me', 'deployment')).not.toThrow();
    expect(usageOf('everything')).toContain('--embedded');
    expect(usageOf('deployment')).not.toContain('--embedded');
  });
});

describe('the faults', () => {
  const theirs = foreign('https://chat.example.org');

  it('of somebody’s deployment are those that harm no server', () => {
    const possible = faultsFor(FAULTS, theirs, []);
    expect(possible.map(({ name }) => name)).toEqual(['cut-clients', 'reconnect-storm']);
    expect(possible).toEqual(HARMLESS_FAULTS);
    expect(() => faultsFor(FAULTS, theirs, ['kill-relay'])).toThrow(
      '--faults: no "kill-relay" here; there are: cut-clients,',
    );
  });

  it('of regions are those between them, unless others are named', () => {
    const regions = { ...theirs, isOurs: true, regions: [], faults: ['cut-between', 'take-out'] };
    expect(faultsFor(FAULTS, regions, []).map(({ name }) => name)).toEqual(['cut-between', 'take-out']);
    expect(faultsFor(FAULTS, regions, ['kill-region', 'cut-clients']).map(({ name }) => name)).toEqual([
      'kill-region',
      'cut-clients',
    ]);
    expect(() => faultsFor(FAULTS, theirs, ['cut-between'])).toThrow('no "cut-between" here');
  });

  it('have names of their own', () => {
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
  });
});
