/** Every `sealwire-load` line of the documents is one that the program takes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { documentedCommands, LOAD, NOT_UNDERSTOOD, parseCommand } from '@sealwire/testkit/documented/command-lines';
import { sealwireLoad } from './testing/in-process.ts';

const home = mkdtempSync(join(tmpdir(), 'sealwire-load-documented-'));
afterAll(() => rmSync(home, { recursive: true }));

const commands = documentedCommands().filter(({ program }) => program === LOAD);

const NOWHERE = 'http://127.0.0.1:1';

/** A tester goes where its address says, and nobody may be there; without one `compare` would start a server. */
async function complaint(args: readonly string[]): Promise<string> {
  const nowhere = args.map((word) => (/^https?:/.test(word) ? NOWHERE : word));
  if (args[0] === 'compare' && !nowhere.includes(NOWHERE)) nowhere.push(NOWHERE);
  return (await sealwireLoad(home, nowhere)).stderr;
}

it('are found', () => expect(commands.length).toBeGreaterThan(6));

it.each(commands)('$title', async ({ args }) => {
  expect(await complaint(args)).not.toMatch(NOT_UNDERSTOOD);
});

it('would not pass with a mistake', async () => {
  const { args } = parseCommand('sealwire-load chat http://127.0.0.1:8080 --pears 2')!;
  expect(await complaint(args)).toMatch(NOT_UNDERSTOOD);
});
