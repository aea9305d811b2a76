/** Made vectors/records-1.json and records-2.json, once each: whole stores in the middle of a dialogue. Run again only for a new version of the formats. */
import { writeFileSync } from 'node:fs';
import type { SuiteName } from '@sealwire/crypto/port';
import { hex } from '../bytes/hex.ts';
import { type Letter, type Person, World } from './world.ts';

function dialogue(suite: SuiteName) {
  const world = new World({ oneTimePrekeysAtRegistration: 2, oneTimePrekeysLow: 1, oneTimePrekeysBatch: 1 });
  const people = ['alice', 'bob', 'carol'].map((name) => world.person(name, suite)) as [Person, Person, Person];
  const [alice, bob, carol] = people;
  const missing = alice.write(bob, 'written first, read last');
  bob.read(alice.write(bob, 'hello'));
  alice.read(bob.write(alice, 'hello yourself'));
  bob.read(alice.write(bob, 'again'));
  world.now += 8 * 24 * 60 * 60 * 1000;
  bob.lime.update(bob.device, world.heldOf(bob.device));
  world.directory.get(bob.device)!.oneTimePrekeys = [];
  bob.read(carol.write(bob, 'without one-time prekey'));
  alice.renewSession(bob);
  const underWay: [Letter, Person, string][] = [
    [missing, bob, 'written first, read last'],
    [bob.write(alice, 'to a stale session', { policy: 'cipherMessage' }), alice, 'to a stale session'],
    [carol.write(bob, 'init repeated'), bob, 'init repeated'],
    [carol.write(alice, 'a new session', { policy: 'cipherMessage' }), alice, 'a new session'],
  ];
  const dump = ({ store }: Person) => Object.fromEntries(store.keys('').map((key) => [key, hex(store.load(key)!)]));
  return {
    curve: suite,
    now: world.now,
    stores: Object.fromEntries(people.map((person) => [person.device, dump(person)])),
    letters: underWay.map(([letter, to, content]) => ({
      from: letter.from,
      to: to.device,
      user: letter.user,
      message: hex(letter.message),
      cipherMessage: hex(letter.cipherMessage),
      content,
    })),
  };
}

const file = new URL('../../vectors/records-2.json', import.meta.url);
writeFileSync(file, `${JSON.stringify([dialogue('c25519mlk512')], null, 1)}\n`);
