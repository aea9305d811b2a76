/** What a command line means, whoever chose the ids in it. */
import { expect, it } from '@jest/globals';
import { accountCommand, group } from './options.ts';

interface Heard {
  readonly args: readonly string[];
  readonly options: { readonly user?: string; readonly json?: boolean };
}

function parse(...argv: string[]): Heard {
  let heard: Heard | undefined;
  const leaf = accountCommand('revoke', 'Revokes', [])
    .argument('<group>')
    .argument('<link>')
    .action((one: string, other: string, options: Heard['options']) => {
      heard = { args: [one, other], options };
    });
  const quiet = { writeErr: () => {}, writeOut: () => {} };
  const top = group('sealwire', 'All', []).version('1', '-V, --version').exitOverride().configureOutput(quiet);
  top.addCommand(group('group', 'Groups', []).addCommand(leaf.exitOverride().configureOutput(quiet)));
  top.parse(argv, { from: 'user' });
  return heard!;
}

// Base64url: one in 64 begins with a dash, and some of these with the letter of an option.
const IDS = [
  '-AbCdEfGhIjKlMnOpQrStU',
  '-hbCdEfGhIjKlMnOpQrStU',
  '-VbCdEfGhIjKlMnOpQrStU',
  '-ubCdEfGhIjKlMnOpQrStU',
  '--CdEfGhIjKlMnOpQrStU9',
];

it.each(IDS)('an id is an id, though it begins like an option: %s', (id) => {
  expect(parse('group', 'revoke', 'house', id)).toEqual({ args: ['house', id], options: {} });
  expect(parse('group', 'revoke', '-u', 'bob', 'house', id, '--json')).toEqual({
    args: ['house', id],
    options: { user: 'bob', json: true },
  });
  expect(parse('group', 'revoke', id, id, '--user', id)).toEqual({ args: [id, id], options: { user: id } });
});

it('a mistyped option is told as that', () => {
  expect(() => parse('group', 'revoke', 'house', 'x', '--passphrase-file-of-mine')).toThrow('unknown option');
  expect(() => parse('group', 'revoke', 'house', 'x', '-x')).toThrow('unknown option');
});
