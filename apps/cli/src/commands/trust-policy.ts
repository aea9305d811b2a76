/** `sealwire trust policy`: whether only trusted devices are sent to (docs/spec/verification.md section 6). */
import type { TrustPolicy } from '@sealwire/client/trust-policy';
import { Argument, type Command } from 'commander';
import { type Context, profileFor, withClient } from '../context.ts';
import { type AccountOptions, accountCommand } from '../options.ts';
import { parseRecipient, shortName } from '../recipient.ts';

interface PolicyOptions extends AccountOptions {
  readonly to?: string;
}

const MEANINGS: Readonly<Record<TrustPolicy, string>> = {
  everyone: 'all devices that are not unsafe are sent to',
  'trusted-only': 'only trusted devices are sent to',
};

export function trustPolicyCommand(context: () => Context): Command {
  return accountCommand('policy', 'Show or choose whether only trusted devices are sent to', [
    'sealwire trust policy',
    'sealwire trust policy trusted-only',
    'sealwire trust policy everyone -t bob',
  ])
    .addArgument(new Argument('[policy]', 'who is sent to').choices(['everyone', 'trusted-only']))
    .option('-t, --to <address>', 'in the conversation with bob, bob@example.org or sip:bob@example.org')
    .action((policy: TrustPolicy | undefined, options: PolicyOptions) => trustPolicy(context(), policy, options));
}

async function trustPolicy(context: Context, policy: TrustPolicy | undefined, options: PolicyOptions): Promise<void> {
  await withClient(profileFor(context, options), async ({ address, trust: { policy: policies } }) => {
    const to = options.to === undefined ? undefined : parseRecipient(options.to, address);
    if (policy) await policies.set(policy, to);
    const others = to === undefined && !policy ? policies.conversations() : [];
    for (const conversation of [to, ...others]) {
      const now = policies.get(conversation);
      const whom = conversation === undefined ? 'all others' : shortName(conversation, address);
      const record = { event: 'trust-policy', to: conversation ?? null, policy: now };
      await context.output.data(record, `${now.padEnd(14)}${whom}: ${MEANINGS[now]}`);
    }
  });
}
