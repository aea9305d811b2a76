/**
 * `sealwire verify`: two people find out that nobody is between them (docs/spec/verification.md): by a number of 60 digits, by a code, or by
 * four characters while both are there.
 */
import type { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import type { CodeComparison, VerificationState } from '@sealwire/client/verification';
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Command } from 'commander';
import { type ComparisonStep, comparisonRecord, comparisonText, takeStep } from '../comparison.ts';
import { type Context, type ProfileContext, profileFor, withClient } from '../context.ts';
import { CliError, endingOf } from '../exit-codes.ts';
import { type AccountOptions, accountCommand } from '../options.ts';
import { answersTo, outcomeOf } from '../profile-socket.ts';
import { ask, confirm } from '../prompt.ts';
import { parseRecipient, shortName } from '../recipient.ts';
import { keysOf, keysRecord } from '../show-keys.ts';
import { pictureOf } from '../terminal-qr.ts';

interface VerifyOptions extends AccountOptions, Partial<Record<ComparisonStep, boolean>> {
  readonly to?: string;
  readonly yes?: boolean;
  readonly show?: boolean;
  readonly number?: string;
  readonly scan?: string;
  readonly withdraw?: boolean;
}

const STEPS: readonly ComparisonStep[] = ['start', 'accept', 'same', 'different', 'cancel'];

export function verifyCommand(context: () => Context): Command {
  return accountCommand(
    'verify',
    'Make sure that nobody is between you and somebody else, and trust them from then on',
    [
      'sealwire verify bob',
      'sealwire verify bob --number "01234 56789 …"',
      'sealwire verify bob --scan sealwire-verify-1:…',
      'sealwire verify bob --start',
    ],
  )
    .argument('[name]', 'bob, bob@example.org or sip:bob@example.org')
    .option('-t, --to <address>', 'the same')
    .option('--show', 'show keys, number and code, and ask nothing')
    .option('--yes', 'do not ask: the numbers have been compared')
    .option('--number <digits>', 'the number that they see')
    .option('--scan <text>', 'what their code says')
    .option('--start', 'compare four characters now: they are asked')
    .option('--accept', 'answer when they ask for that')
    .option('--same', 'the four characters are the same')
    .option('--different', 'they are not: nothing is sent any more')
    .option('--cancel', 'end the comparison, or decline it')
    .option('--withdraw', 'they are not verified any more')
    .action((name: string | undefined, options: VerifyOptions) =>
      verify(profileFor(context(), options), name, options),
    );
}

async function verify(context: ProfileContext, name: string | undefined, options: VerifyOptions): Promise<void> {
  const { show, yes, number, scan, withdraw } = options;
  const steps = STEPS.filter((step) => options[step]);
  const ways = [...steps, show, yes, number, scan, withdraw].filter((way) => way !== undefined);
  if (ways.length > 1) throw new CliError('usage', 'one thing at a time: give one of these options');
  const to = name ?? options.to;
  if (to === undefined || (name !== undefined && options.to !== undefined))
    throw new CliError('usage', 'say whom to verify, once: sealwire verify bob');
  const [step] = steps;
  if (step) return compare(context, to, step);
  await withClient(context, async (client) => {
    const address = parseRecipient(to, client.address);
    if (address === client.address) throw new CliError('usage', 'that is your own account: whoami shows its keys');
    if (withdraw) await withdrawn(context, client, address);
    else if (number !== undefined) await byNumber(context, client, address, number);
    else if (scan !== undefined) await byCode(context, client, address, scan);
    else await bySight(context, client, address, options);
  });
}

async function bySight(
  context: ProfileContext,
  client: Client,
  address: AccountAddress,
  { yes, show }: VerifyOptions,
): Promise<void> {
  const { output, surroundings } = context;
  const name = shortName(address, client.address);
  const own = await client.trust.peer(client.address);
  const peer = await client.trust.peer(address);
  const { digits, code } = await client.verification.safetyNumber(address);
  await output.data({ event: 'keys', ...keysRecord(peer) }, keysOf(peer));
  await output.data({ event: 'keys', ...keysRecord(own) }, keysOf(own));
  await output.data({ event: 'safety-number', address, digits, code }, numberText(digits));
  if (surroundings.stderr.isTTY)
    output.note(`for a camera, or ${name}’s \`verify --scan\`:\n${pictureOf(code)}${code}`);
  if (show) return;
  await confirm(`Does ${name} see the same number, or the same two account keys? [y/N] `, surroundings, {
    yes,
    otherwise: `compare the number with ${name}, on the telephone or side by side, then give --yes or --number`,
    refused: `${name} is not trusted`,
  });
  await client.verification.compareNumber(address, digits);
  await trusted(context, client, address);
}

async function byNumber(
  context: ProfileContext,
  client: Client,
  address: AccountAddress,
  number: string,
): Promise<void> {
  const name = shortName(address, client.address);
  if (!(await client.verification.compareNumber(address, number))) throw new CliError('failure', othersText(name));
  await trusted(context, client, address);
}

async function byCode(context: ProfileContext, client: Client, address: AccountAddress, code: string): Promise<void> {
  const name = shortName(address, client.address);
  const comparison = await client.verification.compare(address, code);
  const wrong: Readonly<Record<Exclude<CodeComparison, 'same' | 'old-list'>, string>> = {
    'other-keys': othersText(name),
    'forked-list': `the server shows ${name} and you different lists of devices: nobody is trusted; ask its operator`,
    'hidden-list': `the server hides a newer list of devices from you: ${name} is not trusted; ask its operator`,
  };
  if (comparison !== 'same' && comparison !== 'old-list') throw new CliError('failure', wrong[comparison]);
  if (comparison === 'old-list')
    context.output.warn(
      `${name} knows an older list of your devices: if that stays so, the server hides the newer one`,
    );
  await trusted(context, client, address);
}

function othersText(name: string): string {
  return `that is not what is seen here: ${name} is not trusted; it is another person’s, or somebody is between you two`;
}

async function withdrawn({ output }: ProfileContext, client: Client, address: AccountAddress): Promise<void> {
  await client.verification.withdraw(address);
  await shared(output, client);
  await output.data({ event: 'withdrawn', address }, `${shortName(address, client.address)} is not verified any more`);
}

async function trusted({ output }: ProfileContext, client: Client, address: AccountAddress): Promise<void> {
  const { devices, trust } = await client.trust.peer(address);
  await shared(output, client);
  const name = shortName(address, client.address);
  const record = { event: 'trusted', address, devices: devices.map(({ id }) => id) };
  await output.data(record, `${name} is trusted`);
  if (trust === 'unsafe')
    output.warn(`a device of ${name} is unsafe still: find out why, then: sealwire trust accept -t ${name}`);
}

/** The user's other devices hear of it now, if that can be. */
async function shared(output: ProfileContext['output'], client: Client): Promise<void> {
  await client.contacts.synced().catch((error: unknown) => {
    if (!(error instanceof ClientError)) throw error;
    output.note(`your other devices do not know of it yet: ${error.message}`);
  });
}

/** Four lines of three groups. */
function numberText(digits: string): string {
  const groups = digits.match(/.{5}/g) ?? [];
  return [0, 3, 6, 9].map((at) => `  ${groups.slice(at, at + 3).join(' ')}`).join('\n');
}

/** Through `listen` or `chat` where one of them has the keys. */
async function compare(context: ProfileContext, to: string, step: ComparisonStep): Promise<void> {
  const { profile, surroundings } = context;
  const { interrupted } = surroundings;
  try {
    await withClient(context, async (client) => {
      // It ends with the process that takes part in it.
      if (!surroundings.stdin.isTTY)
        throw new CliError('usage', 'there is no terminal to ask: compare while `sealwire listen` runs');
      await client.connect({ signal: interrupted });
      const address = parseRecipient(to, client.address);
      const take = (next: ComparisonStep) => takeStep(client, next, address, interrupted);
      await goOn(context, client.address, step, take);
    });
  } catch (error) {
    if (endingOf(error) !== 'locked') throw error;
    let own: AccountAddress | undefined;
    const take = async (next: ComparisonStep) => {
      const answers = await answersTo(profile, { verify: next, to }, interrupted);
      if (!answers) throw error;
      const outcome = await outcomeOf<VerificationState & { readonly own: AccountAddress }>(answers);
      own = outcome.own;
      return outcome;
    };
    await goOn(context, () => own!, step, take);
  }
}

/** A step, and the question after it, where there is a terminal to ask. */
async function goOn(
  context: ProfileContext,
  own: AccountAddress | (() => AccountAddress),
  step: ComparisonStep,
  take: (step: ComparisonStep) => Promise<VerificationState>,
): Promise<void> {
  const { output, surroundings } = context;
  const state = await take(step);
  const address = typeof own === 'string' ? own : own();
  const text = comparisonText(state, address) ?? '';
  const isWished =
    state.step === 'comparing' || state.step === 'verified' || (step === 'cancel' && state.reason === 'cancelled');
  if (!isWished && step !== 'different') {
    if (output.json) await output.data(comparisonRecord(state), text);
    throw new CliError('failure', text);
  }
  await output.data(comparisonRecord(state), text);
  if (state.step !== 'comparing') return;
  if (!surroundings.stdin.isTTY) {
    output.note('then: sealwire verify NAME --same, or --different');
    return;
  }
  const name = shortName(state.peer, address);
  const answer = await ask(`Does ${name} see the same four characters? [y/n] `, surroundings, {
    echo: true,
    otherwise: '',
  });
  const word = answer.trim().toLowerCase();
  await goOn(context, own, /^y(es)?$/.test(word) ? 'same' : /^no?$/.test(word) ? 'different' : 'cancel', take);
}
