/** `sealwire presence`: to whom this device shows whether it is online, and that its user types; also while `listen` or `chat` has the keys. */
import { Argument, type Command, Option } from 'commander';
import { type Context, type ProfileContext, profileFor } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { type AccountOptions, accountCommand, collect } from '../options.ts';
import { ordered } from '../ordered.ts';
import { PRESENCE_ACTIONS, type PresenceOrder, type PresenceReport } from '../presence.ts';
import { shortName } from '../recipient.ts';

interface PresenceOptions extends AccountOptions {
  readonly only?: 'online' | 'typing';
  readonly to?: readonly string[];
  readonly nobody?: boolean;
}

const ACTIONS = 'on, off: whether you are shown; show: to whom; away, back: as what, while `listen` or `chat` runs';

export function presenceCommand(context: () => Context): Command {
  return accountCommand('presence', 'Show or choose who sees that you are online, or typing', [
    'sealwire presence',
    'sealwire presence on',
    'sealwire presence show -t bob -t carol@example.org',
    'sealwire presence off --only typing',
    'sealwire presence away',
  ])
    .addArgument(new Argument('[action]', ACTIONS).choices(PRESENCE_ACTIONS))
    .addOption(new Option('--only <what>', 'with on and off: one of both').choices(['online', 'typing']))
    .option('-t, --to <address>', 'with show: to these and to no other; may be repeated', collect)
    .option('--nobody', 'with show: to nobody')
    .action((action: PresenceOrder['action'], options: PresenceOptions) => {
      const order = orderOf(action, options);
      return presence(profileFor(context(), options), order);
    });
}

function orderOf(action: PresenceOrder['action'], { only, to = [], nobody = false }: PresenceOptions): PresenceOrder {
  if (only !== undefined && action !== 'on' && action !== 'off')
    throw new CliError('usage', '--only goes with `presence on` and `presence off`');
  if ((to.length > 0 || nobody) && action !== 'show')
    throw new CliError('usage', '-t and --nobody go with `presence show`');
  if (action === 'show' && to.length > 0 === nobody)
    throw new CliError('usage', 'to whom? `presence show -t bob`, or `presence show --nobody`');
  return { ...(action && { action }), ...(only && { only }), to: [...to] };
}

async function presence(context: ProfileContext, order: PresenceOrder): Promise<void> {
  await report(context, await ordered<PresenceReport>(context, { presence: order }));
}

async function report({ output }: ProfileContext, { own, online, typing, peers }: PresenceReport): Promise<void> {
  const word = (on: boolean) => (on ? 'shown' : 'not shown');
  await output.data({ event: 'presence', online, typing }, `online: ${word(online)}, typing: ${word(typing)}`);
  for (const { account, state } of peers)
    await output.data(
      { event: 'peer-presence', account, state },
      `${(state ?? '-').padEnd(9)}${shortName(account, own)}`,
    );
  if (online && peers.length === 0) output.note('to nobody yet: `sealwire presence show -t bob`');
}
