/** Four characters against somebody in the middle, who does all that a server can. */
import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import {
  commitmentOf,
  type ShortStringSecrets,
  shortStringSecrets,
  type VerificationTranscript,
} from './short-string.ts';

const crypto = nodeCrypto();
const random = seededRandom('short strings');

function sideOf(name: string, key: Uint8Array, accountKey = crypto.sha256(new TextEncoder().encode(name))) {
  const address = parseAccountAddress(`sip:${name}@example.org`);
  return { address, device: parseDeviceId(`${address};gr=urn:uuid:1`), accountKey, key };
}

interface KeyPair {
  readonly secret: Uint8Array;
  readonly key: Uint8Array;
}

function keyPair(): KeyPair {
  const secret = random(32);
  return { secret, key: crypto.x25519.publicKey(secret) };
}

/** What one side sees of a dialogue in which its own pair is `mine` and the other's public key `theirs`. */
function secretsOf(mine: KeyPair, transcript: VerificationTranscript): ShortStringSecrets {
  const { requester, accepter } = transcript;
  const theirs = crypto.equal(requester.key, mine.key) ? accepter.key : requester.key;
  return shortStringSecrets(crypto, crypto.x25519.sharedSecret(mine.secret, theirs), transcript);
}

function transcriptOf(requester: Uint8Array, accepter: Uint8Array, salt = random(16)): VerificationTranscript {
  const id = new Uint8Array(16);
  const sides = { requester: sideOf('alice', requester), accepter: sideOf('bob', accepter) };
  return { id, ...sides, salt, commitment: commitmentOf(crypto, id, sides.accepter.device, accepter, salt) };
}

it('is the same for two who have the same keys, and so are the confirmations', () => {
  const [alice, bob] = [keyPair(), keyPair()];
  const transcript = transcriptOf(alice.key, bob.key);
  const [hers, his] = [secretsOf(alice, transcript), secretsOf(bob, transcript)];
  expect(hers.shortString).toMatch(/^[ybndrfg8ejkmcpqxot1uwisza345h769]{4}$/);
  expect(his.shortString).toBe(hers.shortString);
  const list = { version: 1, digest: random(32) };
  expect(his.confirmation('requester', list)).toEqual(hers.confirmation('requester', list));
});

it('S65: no confirmation passes for the other side’s, for another list, or another version', () => {
  const alice = keyPair();
  const { confirmation } = secretsOf(alice, transcriptOf(alice.key, keyPair().key));
  const [digest, other] = [random(32), random(32)];
  const all = [
    confirmation('requester', { version: 1, digest }),
    confirmation('accepter', { version: 1, digest }),
    confirmation('requester', { version: 2, digest }),
    confirmation('requester', { version: 1, digest: other }),
  ];
  expect(new Set(all.map((mac) => Buffer.from(mac).toString('hex'))).size).toBe(all.length);
});

it('S65, S68: binds both addresses, devices and account keys, wherever one ends and the next begins', () => {
  const [alice, bob] = [keyPair(), keyPair()];
  const transcript = transcriptOf(alice.key, bob.key);
  const { requester, accepter } = transcript;
  const others = [
    { ...transcript, requester: { ...requester, accountKey: random(32) } },
    { ...transcript, accepter: { ...accepter, accountKey: random(32) } },
    { ...transcript, accepter: { ...accepter, device: parseDeviceId(`${accepter.address};gr=urn:uuid:2`) } },
    { ...transcript, requester: { ...requester, address: parseAccountAddress('sip:alicia@example.org') } },
    { ...transcript, requester: accepter, accepter: requester },
    { ...transcript, id: random(16) },
    { ...transcript, commitment: random(32) },
  ];
  const list = { version: 1, digest: random(32) };
  const macs = [transcript, ...others].map((each) => {
    const { confirmation } = shortStringSecrets(crypto, new Uint8Array(32).fill(1), each);
    return Buffer.from(confirmation('requester', list)).toString('hex');
  });
  expect(new Set(macs).size).toBe(macs.length);
});

describe('T168: somebody in the middle', () => {
  /**
   * The best that there is to do: the accepter's commitment has to be passed on, or be one's own, before the requester shows its key, and
   * the accepter shows its key only when it has one to answer. So the attacker's two keys are chosen before it knows either string.
   */
  function attack(): [hers: string, his: string] {
    const [alice, bob] = [keyPair(), keyPair()];
    const [towardsAlice, towardsBob] = [keyPair(), keyPair()];
    const hers = secretsOf(alice, transcriptOf(alice.key, towardsAlice.key));
    const his = secretsOf(bob, transcriptOf(towardsBob.key, bob.key));
    return [hers.shortString, his.shortString];
  }

  it('has one guess: of 1,500 attacks none agrees in all characters, and about one in 32 in each of them', () => {
    const attempts = Array.from({ length: 1_500 }, attack);
    expect(attempts.filter(([hers, his]) => hers === his)).toEqual([]);
    for (let at = 0; at < 4; at++) {
      const alike = attempts.filter(([hers, his]) => hers[at] === his[at]).length;
      // 47 expected; further off than four deviations, the characters would not be independent of each other.
      expect([at, alike > 19 && alike < 75]).toEqual([at, true]);
    }
  });

  it('S64: who could choose its key after it has seen the other’s would not need to guess: the commitment forbids it', () => {
    const [alice, bob] = [keyPair(), keyPair()];
    const his = secretsOf(bob, transcriptOf(keyPair().key, bob.key));
    // Two characters, that is 2^10 tries, stand for four: without commitment the attacker finds its key.
    const wanted = his.shortString.slice(0, 2);
    const committed = keyPair();
    const salt = random(16);
    const id = new Uint8Array(16);
    const { device } = sideOf('bob', committed.key);
    const commitment = commitmentOf(crypto, id, device, committed.key, salt);
    let chosen = committed;
    let found = '';
    for (let tries = 0; tries < 20_000 && !found.startsWith(wanted); tries++) {
      chosen = keyPair();
      found = secretsOf(alice, { ...transcriptOf(alice.key, chosen.key, salt), commitment }).shortString;
    }
    expect(found.startsWith(wanted)).toBe(true);
    expect(commitmentOf(crypto, id, device, chosen.key, salt)).not.toEqual(commitment);
  });

  it('S64: a commitment is to one device, one dialogue, one key and one salt', () => {
    const [id, key, salt] = [random(16), random(32), random(16)];
    const { device } = sideOf('bob', key);
    const other = parseDeviceId('sip:bob@example.org;gr=urn:uuid:2');
    const all = [
      commitmentOf(crypto, id, device, key, salt),
      commitmentOf(crypto, random(16), device, key, salt),
      commitmentOf(crypto, id, other, key, salt),
      commitmentOf(crypto, id, device, random(32), salt),
      commitmentOf(crypto, id, device, key, random(16)),
    ];
    expect(new Set(all.map((each) => Buffer.from(each).toString('hex'))).size).toBe(all.length);
  });
});
