/** The command line of a drill. */
import { parseArgs } from 'node:util';

export const USAGE = `drill [options]

  Starts a cluster on this machine, lets people write to each other, makes faults, and proves from a history of what clients
  sent and got that nothing accepted was lost, doubled or out of order. Exit code 0: proved; 1: not; 2: it could not be run.

  --minutes=N        how long faults are made, at least once each (default 10)
  --faults=A,B       only these, in this order (--list shows them)
  --embedded         one server with an embedded store instead of a cluster
  --against=URL      a deployment that runs: clients only, no server is harmed; the accounts are deleted afterwards
  --invitation=CODE  for --against, when its gate is closed; it must be good for every account (people + newcomers + sockets / 10)
  --people=N         accounts that write, half of them with two devices (default 16)
  --rate=N           messages a second of all together (default 20)
  --sockets=N        of the reconnect storm (default 2000)
  --folder=DIR       history and logs (default ./drill)
  --engines=DIR      where the database and Redis of the cluster are kept, theirs alone (default ~/.cache/sealwire-drill)
  --seed=N           of what is left to chance (default 1)
  --check=FILE       judges a history file again, and does nothing else
  --list             shows the faults
`;

export interface Options {
  readonly minutes: number;
  readonly faults: readonly string[];
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

/** Throws an `Error` of one line. `home`: the user's folder. */
export function parseOptions(argv: readonly string[], home: string): Options {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      minutes: text,
      faults: text,
      embedded: flag,
      against: text,
      invitation: text,
      people: text,
      rate: text,
      sockets: text,
      folder: text,
      engines: text,
      seed: text,
      check: text,
      list: flag,
      help: flag,
    },
  });
  const number = (name: 'minutes' | 'people' | 'rate' | 'sockets' | 'seed', otherwise: number, least: number) => {
    const value = values[name] === undefined ? otherwise : Number(values[name]);
    if (!Number.isFinite(value) || value < least)
      throw new Error(`--${name}: a number from ${least} on, not "${values[name]}"`);
    return value;
  };
  if (values.embedded && values.against) throw new Error('--embedded and --against: choose one of them');
  return {
    minutes: number('minutes', 10, 0),
    faults: values.faults?.split(',').filter(Boolean) ?? [],
    embedded: values.embedded,
    against: values.against === undefined ? undefined : originIn(values.against),
    invitation: values.invitation,
    people: number('people', 16, 2),
    rate: number('rate', 20, 0.1),
    sockets: number('sockets', 2_000, 1),
    folder: values.folder ?? 'drill',
    engines: values.engines ?? `${home}/.cache/sealwire-drill`,
    seed: number('seed', 1, 0),
    check: values.check,
    list: values.list,
    help: values.help,
  };
}

function originIn(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw new Error(`--against: an address like https://chat.example.org, not "${text}"`);
  return url.origin;
}
