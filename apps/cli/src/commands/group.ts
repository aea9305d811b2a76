/** `sealwire group`: groups made, joined, changed and shown (docs/spec/groups.md). While `listen` or `chat` has the keys, it does the work. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type Context, profileFor } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { type GroupOrder, type GroupOutcome, groupTarget } from '../group-work.ts';
import { type AccountOptions, accountCommand, collect, group } from '../options.ts';
import { ordered } from '../ordered.ts';
import { parseCount } from '../waiting.ts';
import { getFile } from './file.ts';

interface CreateOptions extends AccountOptions {
  readonly name: string;
  readonly member: readonly string[];
}

interface LinkOptions extends AccountOptions {
  readonly hours?: number;
  readonly uses?: number;
}

interface PictureOptions extends AccountOptions {
  readonly none?: boolean;
  readonly output?: string;
  readonly force?: boolean;
}

const HOUR_MS = 3_600_000;
const NAMED = 'the group, by its name, or by its address where several have that name';

export function groupCommand(context: () => Context): Command {
  const run = (order: GroupOrder, options: AccountOptions) => work(context(), order, options);

  const create = accountCommand('create', 'Make a group, and invite people', [
    'sealwire group create --name trio --member bob --member carol',
  ])
    .requiredOption('--name <name>', 'what its members see')
    .option('--member <address>', 'somebody to invite; may be repeated', collect, [])
    .action(({ name, member, ...options }: CreateOptions) =>
      run({ group: 'create', name, members: [...member] }, options),
    );

  const list = accountCommand('list', 'List the groups that you are in or invited to', ['sealwire group list']);
  list.action((options: AccountOptions) => run({ group: 'list' }, options));

  const oneOf = (name: 'show' | 'join' | 'decline' | 'leave', description: string) =>
    accountCommand(name, description, [`sealwire group ${name} trio`])
      .argument('<group>', NAMED)
      .action((of: string, options: AccountOptions) => run({ group: name, name: of }, options));

  const withMember = (name: 'remove' | 'promote' | 'demote', description: string) =>
    accountCommand(name, description, [`sealwire group ${name} trio bob`])
      .argument('<group>', NAMED)
      .argument('<member>', 'bob, bob@example.org or sip:bob@example.org')
      .action((of: string, member: string, options: AccountOptions) => run({ group: name, name: of, member }, options));

  const invite = accountCommand('invite', 'Invite people to a group', ['sealwire group invite trio dave erin'])
    .argument('<group>', NAMED)
    .argument('<members...>', 'bob, bob@example.org or sip:bob@example.org')
    .action((name: string, members: string[], options: AccountOptions) =>
      run({ group: 'invite', name, members }, options),
    );

  const rename = accountCommand('rename', 'Give a group another name', ['sealwire group rename trio quartet'])
    .argument('<group>', NAMED)
    .argument('<name>', 'what its members see from now on')
    .action((name: string, subject: string, options: AccountOptions) =>
      run({ group: 'rename', name, subject }, options),
    );

  const picture = accountCommand('picture', 'Set, take away or fetch the picture of a group', [
    'sealwire group picture trio us.jpg',
    'sealwire group picture trio --none',
    'sealwire group picture trio -o us.jpg',
  ])
    .argument('<group>', NAMED)
    .argument('[path]', 'the picture to set')
    .option('--none', 'it has no picture any more')
    .option('-o, --output <path>', 'fetch it, to there; - is stdout')
    .option('--force', 'replace a file that is there')
    .action((name: string, path: string | undefined, { none = false, output, force, ...options }: PictureOptions) => {
      if ([path !== undefined, none, output !== undefined].filter(Boolean).length !== 1)
        throw new CliError('usage', 'give a picture, --none or -o PATH');
      if (output !== undefined)
        return getFile(profileFor(context(), options), groupTarget(name), { output, ...(force && { force }) });
      return run({ group: 'picture', name, ...(path !== undefined && { path: resolve(path) }) }, options);
    });

  const timer = accountCommand('timer', 'How long messages of a group may be shown', [
    'sealwire group timer trio 86400',
    'sealwire group timer trio 0',
  ])
    .argument('<group>', NAMED)
    .argument('<seconds>', '0: no end', parseLifetime)
    .action((name: string, lifetime: number, options: AccountOptions) =>
      run({ group: 'timer', name, lifetime }, options),
    );

  const link = accountCommand('link', 'Make a link by which people join, and print it', [
    'sealwire group link trio --hours 24 --uses 1',
  ])
    .argument('<group>', NAMED)
    .option('--hours <n>', 'when it ends', parseCount)
    .option('--uses <n>', 'how many may join by it', parseCount)
    .action((name: string, { hours, uses, ...options }: LinkOptions) => {
      const { now } = context().surroundings.runtime;
      const bounds = { ...(hours && { expiresAt: now() + hours * HOUR_MS }), ...(uses && { uses }) };
      return run({ group: 'link', name, ...bounds }, options);
    });

  const revoke = accountCommand('revoke', 'Revoke a link by which people join', ['sealwire group revoke trio LINK'])
    .argument('<group>', NAMED)
    .argument('<link>', 'as `group show` lists it')
    .action((name: string, id: string, options: AccountOptions) => run({ group: 'revoke', name, link: id }, options));

  const commands = [
    create,
    oneOf('show', 'Show the members of a group'),
    invite,
    oneOf('join', 'Accept an invitation, or join by a link'),
    oneOf('decline', 'Refuse an invitation'),
    oneOf('leave', 'Leave a group'),
    withMember('remove', 'Take somebody out of a group'),
    withMember('promote', 'Make a member an administrator'),
    withMember('demote', 'Make an administrator a member like others'),
    rename,
    picture,
    timer,
    link,
    revoke,
  ];
  const all = group('group', 'Groups: made, joined, changed, shown', [
    'sealwire group create --name trio --member bob --member carol',
    'sealwire send -g trio -m hello',
    'sealwire group',
  ]).addCommand(list, { isDefault: true });
  for (const command of commands) all.addCommand(command);
  return all;
}

async function work(context: Context, order: GroupOrder, options: AccountOptions): Promise<void> {
  const profile = profileFor(context, options);
  const { output } = profile;
  const outcome = await ordered<GroupOutcome>(profile, order);
  for (const { record, text } of outcome.shown) await output.data(record, text);
  if (outcome.note !== undefined) output.note(outcome.note);
}

function parseLifetime(text: string): number {
  if (!/^\d{1,8}$/.test(text)) throw new InvalidArgumentError('Seconds, from 0.');
  return Number(text);
}
