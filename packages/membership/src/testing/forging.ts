/** Events that `making.ts` would not make, and a provider whose signatures cost nothing, for tests that are about rules alone. */
import type { CryptoProvider } from '@sealwire/crypto/port';
import {
  encodeGroupEvent,
  type GroupAction,
  type GroupEvent,
  groupEventSigningInput,
  type SignedGroupEvent,
} from '@sealwire/wire/group-event';
import type { Log } from '../log.ts';
import type { Signer } from '../making.ts';
import { crypto } from './people.ts';

/** The actor's next event after these heads (all, unless said otherwise), with whatever `changes` say, signed by the actor. */
export function forge(
  log: Log,
  actor: Signer,
  action: GroupAction,
  changes: Partial<GroupEvent> = {},
  heads: readonly Uint8Array[] = log.heads,
): SignedGroupEvent {
  const mine = log.events.filter(({ event }) => event.actor === actor.account);
  const last = mine.at(-1);
  return signAs(actor, {
    group: log.group,
    actor: actor.account,
    number: mine.length + 1,
    previous: last?.hash ?? new Uint8Array(0),
    parents: heads.filter((hash) => !last || hash.join() !== last.hash.join()),
    at: actor.at,
    action,
    ...changes,
  });
}

export function signAs({ seed }: Signer, event: GroupEvent, provider: CryptoProvider = crypto): SignedGroupEvent {
  const encoded = encodeGroupEvent(event);
  return { event: encoded, signature: provider.ed25519.sign(seed, groupEventSigningInput(encoded)) };
}

/** Anybody who knows a public key can sign: a property test makes tens of thousands of signatures, and none that is wrong. */
export const quickCrypto: CryptoProvider = {
  ...crypto,
  ed25519: {
    ...crypto.ed25519,
    publicKey: (seed) => crypto.sha256(seed),
    sign: (seed, message) => tag(crypto.sha256(seed), message),
    verify: (key, message, signature) => crypto.equal(tag(key, message), signature),
    isValidPublicKey: () => true,
  },
};

function tag(key: Uint8Array, message: Uint8Array): Uint8Array {
  const input = new Uint8Array(key.length + message.length);
  input.set(key);
  input.set(message, key.length);
  return crypto.sha512(input);
}
