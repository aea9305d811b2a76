/** The golden log of vectors/groups-1.json: bytes, hashes, signatures, and what they say, for other implementations and later versions. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import type { CryptoProvider } from '@sealwire/crypto/port';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { formatGroupLink } from '@sealwire/wire/group-link';
import { Log } from './log.ts';
import { joinByLink, makeLink } from './making.ts';
import { hex } from './records.ts';
import { stateOf } from './state.ts';
import { crypto, Group } from './testing/people.ts';
import { ada, bob, cyn, dan } from './testing/trio.ts';

const file = new URL('../vectors/groups-1.json', import.meta.url);

interface Vectors {
  readonly accounts: Readonly<Record<string, { readonly seed: string; readonly key: string }>>;
  readonly group: string;
  readonly address: string;
  readonly link: string;
  readonly events: readonly { readonly event: string; readonly signature: string; readonly hash: string }[];
  readonly heads: readonly string[];
  readonly state: unknown;
}

/** Every kind of event, two administrators who remove one another, and a fork. */
function made(): Vectors {
  const group = Group.by(ada, 'golden');
  group.bring(ada, bob, 'administrator');
  group.bring(bob, cyn, 'administrator');
  group.demote(ada, cyn);
  group.rename(bob, 'golden, later');
  group.act(ada, { kind: 'picture', descriptor: Uint8Array.of(1, 2, 3) });
  group.act(ada, { kind: 'timer', lifetime: 86_400 });
  const { log, link } = makeLink(group.log, ada, { uses: 2, expiresAt: dan.at + 1 }, seededRandom('golden'));
  group.log = joinByLink(log, dan, link).log;
  group.leave(cyn);
  group.act(ada, { kind: 'link-revoked', link: link.link });
  const other = group.fork();
  group.remove(ada, bob);
  group.learn(other.remove(bob, ada), other.fork().rename(bob, 'mine'));
  const fork = other.fork();
  group.learn(other.rename(bob, 'mine'), fork.rename(bob, 'ours'));
  return {
    accounts: Object.fromEntries(
      [ada, bob, cyn, dan].map(({ account, seed, key }) => [account, { seed: hex(seed), key: hex(key) }]),
    ),
    link: formatGroupLink(link),
    ...told(group.log),
  };
}

function told(log: Log): Omit<Vectors, 'accounts' | 'link'> {
  return {
    group: hex(log.group),
    address: log.address,
    events: log.events.map(({ signed: { event, signature }, hash }) => ({
      event: hex(event),
      signature: hex(signature),
      hash: hex(hash),
    })),
    heads: log.heads.map(hex),
    state: JSON.parse(
      JSON.stringify(stateOf(log), (_key, value: unknown) => (value instanceof Uint8Array ? hex(value) : value)),
    ),
  };
}

if (process.env.UPDATE_GENERATED) writeFileSync(file, `${JSON.stringify(made(), undefined, 2)}\n`);

describe('the golden log', () => {
  const golden = JSON.parse(readFileSync(file, 'utf8')) as Vectors;
  const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));

  it('is made again, byte for byte', () => expect(made()).toEqual(golden));

  it.each([crypto, nobleCrypto()].map((provider): [string, CryptoProvider] => [provider.name, provider]))(
    'is read alike, forwards and backwards, by %s',
    (_name, provider) => {
      const events = golden.events.map(({ event, signature }) => ({
        event: bytes(event),
        signature: bytes(signature),
      }));
      const { log } = Log.received(provider, bytes(golden.group), events);
      const { accounts: _accounts, link: _link, ...rest } = golden;
      expect(told(log)).toEqual(rest);
      const backwards = Log.of(provider, events[0]!).add(events.toReversed()).log;
      expect(told(backwards).heads).toEqual(golden.heads);
      expect(told(backwards).state).toMatchObject({ members: (golden.state as { members: unknown }).members });
      expect(log.forks.length).toBeGreaterThan(0);
    },
  );
});
