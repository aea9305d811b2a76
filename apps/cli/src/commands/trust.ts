/** `sealwire trust`: what this device thinks of the people it knows, and the user's decisions after a key has changed. */
import type { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Command } from 'commander';
import { type Context, profileFor, withClient } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { type AccountOptions, accountCommand, group } from '../options.ts';
import { confirm } from '../prompt.ts';
import { parseRecipient, shortName } from '../recipient.ts';
import { keysOf, keysRecord } from '../show-keys.ts';
import { trustPolicyCommand } from './trust-policy.ts';

interface DecisionOptions extends AccountOptions {
  readonly to: string;
  readonly yes?: boolean;
}

interface Decision {
  readonly name: 'accept' | 'revoke' | 'forget';
  readonly summary: string;
  /** What is asked, and then done. */
  readonly question: (name: string) => string;
  readonly done: (name: string) => string;
  readonly carryOut: (client: Client, address: AccountAddress) => Promise<void>;
}

const DECISIONS: readonly Decision[] = [
  {
    name: 'accept',
    summary: 'Write again to somebody whose device or account shows another key, after you found out why',
    question: (name) => `Did ${name} tell you, in another way than here, that these keys are right? [y/N] `,
    done: (name) => `the keys of ${name} are accepted`,
    carryOut: acceptChanges,
  },
  {
    name: 'revoke',
    summary: 'Send nothing to somebody until another word is said',
    question: (name) => `Send nothing to ${name} any more? [y/N] `,
    done: (name) => `nothing is sent to ${name} any more; \`trust accept\` ends that`,
    async carryOut(client, address) {
      for (const { id } of (await client.trust.peer(address)).devices) await client.trust.set(id, 'unsafe');
    },
  },
  {
    name: 'forget',
    summary: 'Forget somebody whose account key has changed, after you found out why: the next contact is a first one',
    question: (name) => `Forget the keys of ${name}, and believe whatever the server shows next? [y/N] `,
    done: (name) => `${name} is forgotten`,
    carryOut: (client, address) => client.trust.forget(address),
  },
];

export function trustCommand(context: () => Context): Command {
  const list = accountCommand('list', 'List the people this device knows, with their keys', ['sealwire trust']);
  list.action((options: AccountOptions) => listPeers(context(), options));
  const trust = group('trust', 'Whom this device trusts, and decisions after a key has changed', [
    'sealwire trust',
    'sealwire trust accept -t bob',
    'sealwire trust forget -t bob',
  ]).addCommand(list, { isDefault: true });
  for (const decision of DECISIONS)
    trust.addCommand(
      accountCommand(decision.name, decision.summary, [`sealwire trust ${decision.name} -t bob`])
        .requiredOption('-t, --to <address>', 'bob, bob@example.org or sip:bob@example.org')
        .option('--yes', 'do not ask')
        .action((options: DecisionOptions) => decide(context(), decision, options)),
    );
  const acceptServer = accountCommand(
    'accept-server',
    'Believe the server’s key directory again after it signs with another key, and you found out why',
    ['sealwire trust accept-server'],
  ).option('--yes', 'do not ask');
  acceptServer.action((options: AccountOptions & { readonly yes?: boolean }) => acceptDirectory(context(), options));
  return trust.addCommand(acceptServer).addCommand(trustPolicyCommand(context));
}

async function acceptDirectory(context: Context, options: AccountOptions & { readonly yes?: boolean }): Promise<void> {
  const { output, surroundings } = context;
  await withClient(profileFor(context, options), async (client) => {
    await confirm(
      'Did the operator tell you, in another way than here, that the key is another now? [y/N] ',
      surroundings,
      {
        yes: options.yes,
        otherwise: 'there is no terminal to ask: find out, then give --yes',
        refused: 'nothing was changed',
      },
    );
    await client.trust.acceptDirectoryKey();
    await output.data({ event: 'accept-server' }, 'the new key of the key directory is accepted');
  });
}

async function listPeers(context: Context, options: AccountOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    for (const peer of client.trust.peers())
      if (peer.address !== client.address)
        await context.output.data({ event: 'keys', ...keysRecord(peer) }, keysOf(peer));
  });
}

async function decide(context: Context, decision: Decision, options: DecisionOptions): Promise<void> {
  const { output, surroundings } = context;
  await withClient(profileFor(context, options), async (client) => {
    const address = parseRecipient(options.to, client.address);
    const name = shortName(address, client.address);
    const known = client.trust.peers().find((peer) => peer.address === address);
    if (!known) throw new CliError('usage', `this device knows nothing of ${name}: there is nothing to decide`);
    output.note(keysOf(known));
    await confirm(decision.question(name), surroundings, {
      yes: options.yes,
      otherwise: 'there is no terminal to ask: find out, then give --yes',
      refused: 'nothing was changed',
    });
    await decision.carryOut(client, address);
    await output.data({ event: decision.name, address }, decision.done(name));
  });
}

async function acceptChanges(client: Client, address: AccountAddress): Promise<void> {
  const shownKey = client.trust.peers().find((peer) => peer.address === address)?.shownKey;
  // What the user was shown, and not whatever the server shows by now; unless that is the key of before.
  if (shownKey && (await showsAnotherKey(client, address)))
    return void (await client.trust.acceptReset(address, shownKey));
  const unsafe = (await client.trust.peer(address)).devices.filter(({ trust }) => trust === 'unsafe');
  for (const { id } of unsafe) await client.trust.acceptIdentityChange(id);
}

async function showsAnotherKey(client: Client, address: AccountAddress): Promise<boolean> {
  return client.trust.peer(address).then(
    () => false,
    (error: unknown) => error instanceof ClientError && error.code === 'account-key-changed',
  );
}
