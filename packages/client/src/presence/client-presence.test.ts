/** What the SDK shows and tells of presence, whatever the relay says: docs/spec/presence.md sections 2 and 6. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { decodeClientFrame } from '@sealwire/wire/frame-codec';
import type { ClientFrame, PresenceState } from '@sealwire/wire/frames';
import { groupAddressOf } from '@sealwire/wire/group-event';
import { type AccountAddress, parseAccountAddress, typedAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { BOB, CAROL, ME } from '../testing/chain-world.ts';
import { FakeTime } from '../testing/fake-time.ts';
import { ClientPresence } from './client-presence.ts';

let time: FakeTime;
let storage: MemoryStorage;
let presence: ClientPresence;
let sent: ClientFrame[];
let events: string[];
let isOnline: boolean;
let blocked: AccountAddress[];

async function open(): Promise<void> {
  storage = storage.copy();
  presence = new ClientPresence({
    ledger: await Ledger.open(storage),
    random: (length) => new Uint8Array(length),
    timers: time,
    me: ME,
    addressOf: (name) => typedAddress(name, 'example.org'),
    isBlocked: (account) => blocked.includes(account),
    transmit: () => (isOnline ? (frame) => void sent.push(decodeClientFrame(frame)) : undefined),
  });
  presence.onPresence(({ account, state }) => events.push(`${account} ${state}`));
}

function link(up: boolean): void {
  isOnline = up;
  if (up) presence.online();
  else presence.offline();
}

const says = (account: AccountAddress, state: PresenceState) =>
  presence.received({ kind: 'presence', peers: [{ account, state }] });
const show = (...accounts: AccountAddress[]) => ({ kind: 'show', accounts, away: false });

beforeEach(async () => {
  time = new FakeTime();
  storage = new MemoryStorage();
  [sent, events, isOnline, blocked] = [[], [], false, []];
  await open();
});

it('T176: is off until it is switched on: nothing is shown, and nothing is told', async () => {
  expect(presence.settings()).toEqual({ online: false, typing: false });
  await presence.showTo(['bob', 'carol']);
  link(true);
  presence.appear('away');
  says(BOB, 'online');
  expect([sent, events, presence.of('bob')]).toEqual([[], [], undefined]);
});

describe('switched on', () => {
  beforeEach(async () => {
    await presence.set({ online: true });
    await presence.showTo(['bob', 'sip:carol@example.org', 'bob', 'alice']);
  });

  it('shows the device on each link, after a restart too, and to nobody else when the list is another one', async () => {
    expect(presence.shownTo()).toEqual([BOB, CAROL]);
    link(true);
    link(false);
    await open();
    expect([presence.settings(), presence.shownTo()]).toEqual([{ online: true, typing: false }, [BOB, CAROL]]);
    link(true);
    await presence.showTo(['carol']);
    await presence.set({ online: false });
    await presence.set({ typing: true });
    expect(sent).toEqual([show(BOB, CAROL), show(BOB, CAROL), show(CAROL), show(), show()]);
  });

  it('tells what is new, of those alone who are shown to', () => {
    link(true);
    expect(presence.of('bob')).toBe('offline');
    says(BOB, 'online');
    says(BOB, 'online');
    says(parseAccountAddress('sip:mallory@example.org'), 'online');
    says(CAROL, 'offline');
    says(BOB, 'away');
    says(BOB, 'offline');
    expect(events).toEqual([`${BOB} online`, `${BOB} away`, `${BOB} offline`]);
    expect([presence.of('bob'), presence.of('mallory')]).toEqual(['offline', undefined]);
  });

  it('away is said once, and again with the list of the next link', () => {
    presence.appear('away');
    link(true);
    presence.appear('away');
    presence.appear('online');
    presence.appear('away');
    link(false);
    link(true);
    const away = { ...show(BOB, CAROL), away: true };
    expect(sent).toEqual([away, { kind: 'appear', away: false }, { kind: 'appear', away: true }, away]);
  });

  it('a lost link makes nobody offline; who is not there on the next one is', async () => {
    link(true);
    says(BOB, 'online');
    says(CAROL, 'online');
    link(false);
    expect(presence.of('bob')).toBeUndefined();
    await time.pass(60_000);
    link(true);
    says(BOB, 'online');
    await time.pass(4_999);
    expect(events).toEqual([`${BOB} online`, `${CAROL} online`]);
    await time.pass(1);
    expect(events.slice(2)).toEqual([`${CAROL} offline`]);
    expect([presence.of('bob'), presence.of('carol')]).toEqual(['online', 'offline']);
  });

  it('J05 T176: who is blocked is not shown to, and not shown any more', () => {
    link(true);
    says(BOB, 'online');
    blocked = [BOB];
    presence.refresh();
    says(BOB, 'away');
    expect(sent).toEqual([show(BOB, CAROL), show(CAROL)]);
    expect(events).toEqual([`${BOB} online`, `${BOB} offline`]);
    expect(presence.of('bob')).toBeUndefined();
  });

  it('J05 T176: who was blocked is off the list, for good', async () => {
    link(true);
    says(BOB, 'online');
    await presence.hideFrom(BOB);
    await presence.hideFrom(BOB);
    expect(sent).toEqual([show(BOB, CAROL), show(CAROL)]);
    expect(events).toEqual([`${BOB} online`, `${BOB} offline`]);
    await open();
    expect(presence.shownTo()).toEqual([CAROL]);
  });

  it('presencePeers, and what fits a frame', async () => {
    const names = (count: number) => Array.from({ length: count }, (_, n) => `user${n}`);
    const { value } = LIMITS.presencePeers;
    await presence.showTo(names(value));
    await expect(presence.showTo(names(value + 1))).rejects.toMatchObject({ code: 'limit-reached' });
    const long = names(value).map((name) => `sip:${name}@${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.org`);
    await expect(presence.showTo(long)).rejects.toMatchObject({ code: 'limit-reached' });
    expect(presence.shownTo()).toHaveLength(value);
    await expect(presence.showTo(['not a name'])).rejects.toThrow();
    const group = groupAddressOf(new Uint8Array(32));
    await expect(presence.showTo([group])).rejects.toMatchObject({ code: 'bad-address' });
  });
});
