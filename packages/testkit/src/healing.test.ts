/** Sessions that broke begin anew by themselves, and what could not be read is sent again: docs/spec/healing.md, over real servers. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { IncomingEvent } from '@sealwire/client/events';
import type { MemoryStorage } from '@sealwire/client/memory-storage';
import { type Constellation, startConstellation } from './constellation.ts';
import { afterCrash, type Person, type PersonOptions, register } from './person.ts';

jest.setTimeout(20_000);

let constellation: Constellation;
let people: Person[];
let alice: Person;
let bob: Person;

beforeEach(async () => {
  constellation = await startConstellation();
  people = [];
  alice = await person('alice');
  bob = await person('bob');
});

afterEach(async () => {
  for (const { client } of people) await client.close();
  await constellation.stop();
});

async function person(name: string, options: PersonOptions = {}): Promise<Person> {
  const made = await register(constellation, name, options);
  people.push(made);
  await made.client.connect();
  return made;
}

async function say(from: Person, to: string, ...texts: string[]): Promise<void> {
  for (const text of texts) await (await from.client.send(to, text)).accepted;
}

/** Everything that `of` is shown up to the message `text`: texts, and other events as they are. */
async function shownUntil(of: Person, text: string): Promise<(string | IncomingEvent)[]> {
  const shown: (string | IncomingEvent)[] = [];
  const enough = new AbortController();
  for await (const event of of.client.messages({ signal: enough.signal })) {
    if (event.kind === 'caught-up') continue;
    shown.push(event.kind === 'message' ? event.text! : event);
    if (event.kind === 'message' && event.text === text) enough.abort();
  }
  return shown;
}

/** From `first` on: the relay may repeat to a profile that was put back what it acknowledged just before. */
const textsOf = (shown: readonly (string | IncomingEvent)[], first: string) =>
  shown.filter((each) => typeof each === 'string' && each >= first);
const kindsOf = (shown: readonly (string | IncomingEvent)[]) =>
  shown.flatMap((each) => (typeof each === 'string' ? [] : [each.kind]));

/** Both have written and read, so that the ratchet has turned. Answers everything that they were shown. */
async function talk(from: number, to: number): Promise<(string | IncomingEvent)[]> {
  const shown: (string | IncomingEvent)[] = [];
  for (let n = from; n <= to; n++) {
    await say(alice, 'bob', `a${n}`);
    shown.push(...(await shownUntil(bob, `a${n}`)));
    await say(bob, 'alice', `b${n}`);
    shown.push(...(await shownUntil(alice, `b${n}`)));
  }
  return shown;
}

const backupOf = (of: Person): Person => ({ ...of, storage: (of.storage as MemoryStorage).copy() });

/** The profile as it was, instead of what it has become. */
async function putBack(backup: Person): Promise<Person> {
  const restored = await afterCrash(backup);
  people.push(restored);
  await restored.client.connect();
  return restored;
}

describe('a profile that was copied back', () => {
  it('of the recipient: asks for what it cannot read, gets it, and both talk on', async () => {
    await talk(1, 1);
    const backup = backupOf(bob);
    await talk(2, 4);
    bob = await putBack(backup);
    await say(alice, 'bob', 'a5', 'a6');
    const shown = await shownUntil(bob, 'a6');
    expect(textsOf(shown, 'a5')).toEqual(['a5', 'a6']);
    expect(kindsOf(shown).filter((kind) => kind === 'session-restarted')).toHaveLength(1);
    await say(bob, 'alice', 'b5');
    const told = await shownUntil(alice, 'b5');
    expect(kindsOf(told).filter((kind) => kind === 'sent-again')).toHaveLength(1);
    await talk(6, 7);
  });

  it('of the sender: what nobody could read is sent again, and both talk on', async () => {
    await talk(1, 1);
    const backup = backupOf(alice);
    await talk(2, 4);
    alice = await putBack(backup);
    await say(alice, 'bob', 'a5', 'a6');
    expect(textsOf(await shownUntil(bob, 'a6'), 'a5')).toEqual(['a5', 'a6']);
    await talk(7, 8);
  });

  it('of both: each begins anew, and nothing that was written afterwards is lost', async () => {
    await talk(1, 1);
    const backup = backupOf(alice);
    await talk(2, 3);
    const later = backupOf(bob);
    await talk(4, 6);
    [alice, bob] = [await putBack(backup), await putBack(later)];
    await Promise.all([say(alice, 'bob', 'a5', 'a6'), say(bob, 'alice', 'b5', 'b6')]);
    expect(textsOf(await shownUntil(bob, 'a6'), 'a5')).toEqual(['a5', 'a6']);
    expect(textsOf(await shownUntil(alice, 'b6'), 'b5')).toEqual(['b5', 'b6']);
    await talk(7, 8);
  });
});
