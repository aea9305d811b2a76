import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import {
  decodeGroupEvent,
  decodeGroupEvents,
  encodeGroupEvent,
  encodeGroupEvents,
  type GroupAction,
  type GroupEvent,
  groupAddressOf,
  groupEventHash,
  groupEventSigningInput,
  groupIdOf,
} from './group-event.ts';
import { formatGroupLink, groupLinkSigningInput, parseGroupLink } from './group-link.ts';
import { parseAccountAddress } from './ids.ts';
import { LIMITS } from './limits.ts';
import { WireError } from './wire-error.ts';

fc.configureGlobal({ seed: 0x5ea1 });

const crypto = nobleCrypto();
const schema = protobuf.parse(readFileSync(new URL('../proto/group.proto', import.meta.url), 'utf8')).root;
const address = parseAccountAddress('sip:alice@example.org');
const other = parseAccountAddress('sip:bob@example.org');
const hash = (n: number) => new Uint8Array(32).fill(n);
const NOTHING = new Uint8Array(0);

const ACTIONS: readonly GroupAction[] = [
  { kind: 'invite', members: [{ address: other, key: hash(7) }] },
  { kind: 'join', invitation: hash(8) },
  { kind: 'join-link', link: hash(8), key: hash(7), proof: new Uint8Array(64).fill(9) },
  { kind: 'leave', invitation: NOTHING },
  { kind: 'leave', invitation: hash(8) },
  { kind: 'remove', member: other },
  { kind: 'promote', member: other },
  { kind: 'demote', member: address },
  { kind: 'rename', subject: 'trio' },
  { kind: 'picture', descriptor: NOTHING },
  { kind: 'timer', lifetime: 31_536_000 },
  { kind: 'link-made', key: hash(7), expiresAt: 0, uses: 3 },
  { kind: 'link-revoked', link: hash(8) },
];

const event = (action: GroupAction, changes: Partial<GroupEvent> = {}): GroupEvent => ({
  group: hash(1),
  actor: address,
  number: 2,
  previous: hash(2),
  parents: [hash(3), hash(4)],
  at: 1_700_000_000_000,
  action,
  ...changes,
});
const rename: GroupAction = { kind: 'rename', subject: 'trio' };
const create: GroupAction = { kind: 'create', nonce: hash(5), key: hash(6), subject: '' };
const created = event(create, { group: NOTHING, number: 1, previous: NOTHING, parents: [] });

describe('an event of a group', () => {
  it.each([created, ...ACTIONS.map((action) => event(action))].map((one) => [one.action.kind, one] as const))(
    '%s comes back as it was, and reads the same elsewhere',
    (kind, one) => {
      const encoded = encodeGroupEvent(one);
      expect(decodeGroupEvent(encoded)).toEqual(one);
      const theirs = schema.lookupType('sealwire.v1.GroupEvent').decode(encoded) as unknown as { action: Uint8Array };
      const action = schema.lookupType('sealwire.v1.GroupAction').decode(theirs.action).toJSON();
      const name = kind.replace(/-(.)/, (_, letter: string) => letter.toUpperCase());
      expect(Object.keys(action)).toEqual([name]);
    },
  );

  const wrong: [string, GroupEvent][] = [
    ['a creation of a group that is there', { ...created, group: hash(1) }],
    ['a creation after something', { ...created, parents: [hash(3)] }],
    ['a second event that creates', { ...created, number: 2, previous: hash(2) }],
    ['no group', event(rename, { group: NOTHING })],
    ['a group with a short id', event(rename, { group: new Uint8Array(31) })],
    ['number 0', event(rename, { number: 0, previous: NOTHING })],
    ['a first event with one before', event(rename, { number: 1 })],
    ['a second event without', event(rename, { previous: NOTHING })],
    ['a first event that follows nothing', event(rename, { number: 1, previous: NOTHING, parents: [] })],
    ['parents out of order', event(rename, { parents: [hash(4), hash(3)] })],
    ['a parent twice', event(rename, { parents: [hash(3), hash(3)] })],
    ['the event before among the parents', event(rename, { parents: [hash(2)] })],
    ['33 parents', event(rename, { parents: Array.from({ length: 33 }, (_, i) => hash(10 + i)) })],
    ['a group that acts', event(rename, { actor: groupAddressOf(hash(1)) })],
    [
      'a group that is invited',
      event({ kind: 'invite', members: [{ address: groupAddressOf(hash(1)), key: NOTHING }] }),
    ],
    ['an invitation of nobody', event({ kind: 'invite', members: [] })],
    [
      'an invitation of one twice',
      event({
        kind: 'invite',
        members: [
          { address, key: NOTHING },
          { address, key: NOTHING },
        ],
      }),
    ],
    ['a short account key', event({ kind: 'invite', members: [{ address, key: new Uint8Array(31) }] })],
    ['a removal of oneself', event({ kind: 'remove', member: address })],
    ['a subject of 257 bytes', event({ kind: 'rename', subject: 'x'.repeat(257) })],
    ['a lifetime of more than a year', event({ kind: 'timer', lifetime: 31_536_001 })],
    ['a short invitation', event({ kind: 'leave', invitation: new Uint8Array(31) })],
  ];
  it.each(wrong)('is not taken with %s', (_what, one) => {
    expect(() => encodeGroupEvent(one)).toThrow(expect.objectContaining({ code: 'bad-group-event' }));
  });

  it('may invite 64 accounts with the longest addresses', () => {
    const members = Array.from({ length: 64 }, (_, i) => ({
      address: parseAccountAddress(`sip:${String(i).padStart(64, 'u')}@${'h'.repeat(186)}`),
      key: hash(i),
    }));
    expect(encodeGroupEvent(event({ kind: 'invite', members })).length).toBeLessThan(LIMITS.groupEventBytes.value);
    const more = [...members, { address, key: NOTHING }];
    expect(() => encodeGroupEvent(event({ kind: 'invite', members: more }))).toThrow(WireError);
  });

  it('is refused beyond its size before it is read', () => {
    expect(() => decodeGroupEvent(new Uint8Array(LIMITS.groupEventBytes.value + 1))).toThrow(/larger than/);
  });

  it('has one encoding: no other bytes are taken for it', () => {
    const encoded = encodeGroupEvent(event(rename));
    const unknown = Uint8Array.from([...encoded, 0x50, 1]);
    const again = Uint8Array.from([...encoded, 0x30, 1]);
    const zero = Uint8Array.from([...encodeGroupEvent(event(rename, { at: 0 })), 0x30, 0]);
    for (const bytes of [unknown, again, zero]) expect(() => decodeGroupEvent(bytes)).toThrow(WireError);
  });

  it('never throws anything but its error, and never reads another event', () => {
    const encoded = encodeGroupEvent(event(ACTIONS[0]!));
    fc.assert(
      fc.property(fc.nat(encoded.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const bytes = encoded.slice();
        bytes[at]! ^= by;
        try {
          expect(encodeGroupEvent(decodeGroupEvent(bytes))).toEqual(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
    );
  });

  it('is named by what is signed, which begins with what it is for', () => {
    const encoded = encodeGroupEvent(event(rename));
    const input = groupEventSigningInput(encoded);
    expect(new TextDecoder().decode(input.slice(0, 24))).toBe('sealwire/group-event/v1\0');
    expect(groupEventHash(crypto, encoded)).toEqual(crypto.sha256(input));
  });

  it('travels with others, in their order', () => {
    const events = [created, event(rename)].map((one, i) => ({
      event: encodeGroupEvent(one),
      signature: new Uint8Array(64).fill(i),
    }));
    expect(decodeGroupEvents(encodeGroupEvents(events))).toEqual(events);
    expect(() => decodeGroupEvents(Uint8Array.of(10, 2, 18, 0))).toThrow(WireError);
  });
});

describe('a group', () => {
  it('has an address that is nobody else’s, and its id in it', () => {
    const id = crypto.sha256(hash(1));
    expect(groupIdOf(groupAddressOf(id))).toEqual(id);
    for (const text of ['sip:alice@example.org', 'sip:alice@group.invalid', `sip:${'A'.repeat(42)}B@group.invalid`])
      expect(groupIdOf(parseAccountAddress(text))).toBeUndefined();
  });

  it('has links that come back as they were, and are refused when they are not whole', () => {
    const link = { group: hash(1), link: hash(2), seed: hash(3), from: address, fromKey: hash(4) };
    const text = formatGroupLink(link);
    expect(parseGroupLink(` ${text}\n`)).toEqual(link);
    for (const bad of [
      text.slice(0, -1),
      text.slice(16),
      `sealwire-group-1:${'A'.repeat(2_000)}`,
      'sealwire-group-1:*',
    ])
      expect(() => parseGroupLink(bad)).toThrow(expect.objectContaining({ code: 'bad-group-link' }));
  });

  it('has links whose key signs for one account, key, link and group', () => {
    const inputs = [
      groupLinkSigningInput(hash(1), hash(2), address, hash(3)),
      groupLinkSigningInput(hash(9), hash(2), address, hash(3)),
      groupLinkSigningInput(hash(1), hash(9), address, hash(3)),
      groupLinkSigningInput(hash(1), hash(2), other, hash(3)),
      groupLinkSigningInput(hash(1), hash(2), address, hash(9)),
    ];
    expect(new Set(inputs.map((input) => input.join())).size).toBe(5);
    expect(new TextDecoder().decode(inputs[0]!.slice(0, 23))).toBe('sealwire/group-link/v1\0');
  });
});
