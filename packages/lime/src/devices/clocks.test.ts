/** A device's clock that is wrong for a while: no private key goes that messages under way need, and none stays for ever. */
import { describe, expect, it } from '@jest/globals';
import { initiatorKem, isKemStepDue } from '../ratchet/kem-ratchet.ts';
import { limeSettings } from '../settings.ts';
import { DAY, type Letter, type Person, World } from '../testing/world.ts';

const YEARS = 3_652 * DAY;
const AHEAD: readonly [title: string, ms: number][] = [
  ['an hour', DAY / 24],
  ['three days', 3 * DAY],
  ['ten years', YEARS],
];

let world: World;
let bob: Person;

function update(): void {
  const { signedPrekey, oneTimePrekeys } = bob.lime.update(bob.device, world.heldOf(bob.device));
  const entry = world.directory.get(bob.device)!;
  entry.oneTimePrekeys.push(...oneTimePrekeys);
  if (signedPrekey)
    world.directory.set(bob.device, { ...entry, registration: { ...entry.registration, signedPrekey } });
}

/** As the daily upkeep does. */
function daily(days: number): void {
  for (let day = 0; day < days; day++) {
    world.now += DAY;
    update();
  }
}

/** From somebody new, so that it needs bob's prekeys; with or without a one-time one. */
function letterOf(name: string, withOneTime: boolean): Letter {
  const { oneTimePrekeys } = world.directory.get(bob.device)!;
  const kept = withOneTime ? [] : oneTimePrekeys.splice(0);
  const letter = world.person(name).write(bob, name);
  oneTimePrekeys.push(...kept);
  return letter;
}

function begin(): void {
  world = new World({ oneTimePrekeysAtRegistration: 10, oneTimePrekeysLow: 10 });
  bob = world.person('bob');
}

describe('a clock that is ahead', () => {
  it.each(AHEAD)('by %s, once, takes no private key that messages under way need', (_, ms) => {
    begin();
    daily(6);
    const letters = [letterOf('carol', true), letterOf('dave', false)];
    // Replaced, and missed, of late.
    daily(2);
    const alice = world.person('alice');
    bob.read(alice.write(bob, 'hello'));
    const late = alice.write(bob, 'on the session of before');
    bob.renewSession(alice);
    world.now += ms;
    update();
    world.now -= ms;
    update();
    expect(letters.map((letter) => bob.refusal(letter))).toEqual(['read', 'read']);
    expect(bob.refusal(late)).toBe('read');
    daily(1);
    expect(bob.refusal(letterOf('erin', true))).toBe('read');
  });

  it.each(AHEAD)('by %s does not put off the next rotation when it is right again', (_, ms) => {
    begin();
    world.now += ms + 8 * DAY;
    update();
    const { id } = bob.lime.publishedKeys(bob.device).signedPrekey;
    world.now -= ms;
    daily(8);
    expect(bob.lime.publishedKeys(bob.device).signedPrekey.id).not.toBe(id);
  });

  it.each(AHEAD)('by %s while keys were replaced does not keep them for ever', (_, ms) => {
    begin();
    const alice = world.person('alice');
    bob.read(alice.write(bob, 'hello'));
    const late = alice.write(bob, 'on the session of before');
    const letters = [letterOf('carol', true), letterOf('dave', false)];
    world.now += ms + 8 * DAY;
    bob.renewSession(alice);
    update();
    world.now -= ms;
    daily(limeSettings().oneTimePrekeyKeptMs / DAY + 2);
    expect(letters.map((letter) => bob.refusal(letter))).toEqual(['unknown-signed-prekey', 'unknown-signed-prekey']);
    expect(bob.lime.publishedKeys(bob.device).oneTimePrekeyIds).toHaveLength(10);
    expect(bob.refusal(late)).toBe('unknown-signed-prekey');
  });
});

describe('a clock that is behind', () => {
  it.each(AHEAD)('by %s, once, takes nothing for a day after it is right, in which mail is read', (_, ms) => {
    begin();
    daily(6);
    const letters = [letterOf('carol', true), letterOf('dave', false)];
    world.now -= ms;
    update();
    world.now += ms;
    daily(1);
    expect(letters.map((letter) => bob.refusal(letter))).toEqual(['read', 'read']);
  });
});

it.each(AHEAD)('a KEM step at a time that was %s ahead does not put off the next one', (_, ms) => {
  const now = Date.UTC(2026, 0, 1);
  const stepped = { ...initiatorKem(new Uint8Array(1), now + ms), forced: false };
  expect(isKemStepDue(stepped, limeSettings(), now + ms)).toBe(false);
  expect(isKemStepDue(stepped, limeSettings(), now)).toBe(true);
});
