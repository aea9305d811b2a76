/** The command line of a drill, of this repository's (`npm run drill`) and of the server's (`sealwire-server drill`). */

import { parseArgs } from 'node:util';
import { urlIn } from '@sealwire/wire/url';

/** `deployment`: of somebody's deployment alone. */
export type Scope = 'everything' | 'deployment';

interface Row {
  readonly value?: string;
  readonly about: string;
  /** In the scope `everything` alone. */
  readonly isOurs?: true;
}

const ROWS = {
  against: {
    value: 'URL',
    about: 'a deployment that runs: clients only, no server is harmed; the accounts are deleted afterwards',
  },
  invitation: {
    value: 'CODE',
    about: 'for --against, when its gate is closed; good for every account (people + newcomers + sockets / 10 + 1)',
  },
  minutes: { value: 'N', about: 'how long faults are made, at least once each (default 10; against a deployment 1)' },
  faults: { value: 'A,B', about: 'only these, in this order (--list shows them)' },
  people: { value: 'N', about: 'accounts that write, half of them with two devices (default 16; 4)' },
  rate: { value: 'N', about: 'messages a second of all together (default 20; 5)' },
  sockets: { value: 'N', about: 'of the reconnect storm (default 2000; 50)' },
  folder: { value: 'DIR', about: 'history and logs (default ./drill)' },
  seed: { value: 'N', about: 'of what is left to chance (default 1)' },
  regions: { value: 'N', about: '2: two regions with servers and a Redis each, and faults between them', isOurs: true },
  'delay-ms': { value: 'N', about: 'there and back between regions (default 40)', isOurs: true },
  embedded: { about: 'one server with an embedded store instead of a cluster', isOurs: true },
  engines: {
    value: 'DIR',
    about: 'where the database and Redis of the cluster are kept, theirs alone (default ~/.cache/sealwire-drill)',
    isOurs: true,
  },
  check: { value: 'FILE', about: 'judges a history file again, and does nothing else' },
  list: { about: 'shows the faults' },
  help: { about: 'shows this' },
} as const satisfies Readonly<Record<string, Row>>;

type Name = keyof typeof ROWS;

const OURS = `drill [options]

  Starts a cluster on this machine, lets people write to each other, makes faults,`;
const THEIRS = `drill --against=URL [options]

  Lets people write to each other over a deployment that runs, breaks their sockets and many others,`;

export function usageOf(scope: Scope): string {
  const rows = namesOf(scope).map((name) => {
    const { value, about }: Row = ROWS[name];
    return `  ${`--${name}${value ? `=${value}` : ''}`.padEnd(19)}${about}\n`;
  });
  return `${scope === 'everything' ? OURS : THEIRS} and proves from a history of what clients
  sent and got that nothing accepted was lost, doubled or out of order. Exit code 0: proved; 1: not; 2: it could not be run.

${rows.join('')}`;
}

export interface Options {
  readonly minutes: number;
  readonly faults: readonly string[];
  readonly regions: number;
  readonly delayMs: number;
  readonly embedded: boolean;
  readonly against: string | undefined;
  readonly invitation: string | undefined;
  readonly people: number;
  readonly rate: number;
  readonly sockets: number;
  readonly folder: string;
  readonly engines: string;
  readonly seed: number;
  readonly check: string | undefined;
  readonly list: boolean;
  readonly help: boolean;
}

/** Throws an `Error` of one line that names the fix. `home`: the user's folder. */
export function parseOptions(argv: readonly string[], home: string, scope: Scope = 'everything'): Options {
  const values = wordsIn(argv, scope);
  const number = (
    name: 'minutes' | 'people' | 'rate' | 'sockets' | 'seed' | 'regions' | 'delay-ms',
    otherwise: number,
    least: number,
  ) => {
    const value = values[name] === undefined ? otherwise : Number(values[name]);
    if (!Number.isFinite(value) || value < least)
      throw new Error(`--${name}: a number from ${least} on, not "${values[name]}"`);
    return value;
  };
  const isAbout = values.list === true || values.help === true || values.check !== undefined;
  if (values.embedded && values.against) throw new Error('--embedded and --against: choose one of them');
  if (scope === 'deployment' && values.against === undefined && !isAbout)
    throw new Error(
      '--against: name your deployment, like --against=https://chat.example.org (servers are harmed by npm run drill alone)',
    );
  const isOurs = values.against === undefined;
  const regions = number('regions', 1, 1);
  if (regions > 2 || (regions === 2 && (values.embedded || !isOurs)))
    throw new Error('--regions: 1 or 2, the latter without --embedded and --against');
  return {
    minutes: number('minutes', isOurs ? 10 : 1, 0),
    faults: values.faults?.split(',').filter(Boolean) ?? [],
    regions,
    delayMs: number('delay-ms', 40, 0),
    embedded: values.embedded ?? false,
    against: values.against === undefined ? undefined : originIn(values.against),
    invitation: values.invitation,
    people: number('people', isOurs ? 16 : 4, 2),
    rate: number('rate', isOurs ? 20 : 5, 0.1),
    sockets: number('sockets', isOurs ? 2_000 : 50, 1),
    folder: values.folder ?? 'drill',
    engines: values.engines ?? `${home}/.cache/sealwire-drill`,
    seed: number('seed', 1, 0),
    check: values.check,
    list: values.list ?? false,
    help: values.help ?? false,
  };
}

function namesOf(scope: Scope): Name[] {
  return (Object.keys(ROWS) as Name[]).filter((name) => scope === 'everything' || !('isOurs' in ROWS[name]));
}

type Words = { readonly [name in Name]?: (typeof ROWS)[name] extends { value: string } ? string : boolean };

function wordsIn(argv: readonly string[], scope: Scope): Words {
  const known = namesOf(scope);
  const options = known.map((name) => [name, { type: 'value' in ROWS[name] ? 'string' : 'boolean' }] as const);
  try {
    return parseArgs({ args: [...argv], options: Object.fromEntries(options) }).values;
  } catch (error) {
    // Its first sentence says what is wrong; the others are about dashes.
    const [reason] = (error as Error).message.split('. ');
    throw new Error(`${reason}: write --help for what there is`, { cause: error });
  }
}

function originIn(text: string): string {
  const url = urlIn(text);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new Error(`--against: an address like https://chat.example.org, not "${text}"`);
  return url.origin;
}
