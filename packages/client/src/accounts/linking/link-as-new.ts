/** The new device's half of linking (docs/spec/linking.md section 3). */
import {
  decodeWelcome,
  formatLinkCode,
  LINK_NONCE_BYTES,
  LINK_REVEAL,
  LINK_SLOTS,
  type Welcome,
} from '@sealwire/wire/linking';
import { encodeManifestDevice } from '@sealwire/wire/manifest';
import { ClientError } from '../../errors.ts';
import { type ClientRuntime, platformTimers } from '../../runtime.ts';
import type { Services } from '../../services.ts';
import { LinkChannel, openLinkChannel } from './link-channel.ts';
import { commitmentTo, linkSecrets } from './link-secrets.ts';

const PRIVATE_KEY_BYTES = 32;

/** What a new device shows its user. */
export interface LinkPrompts {
  /** To be read or scanned by a device of the account, within 90 seconds. */
  code(code: string): void;
  /** Two digits, to be typed there. */
  digits(digits: string): void;
}

/** Shows code and digits, and waits for the welcome. Throws `link-over`, `link-forged`, `aborted`, and what a request throws. */
export async function linkAsNew(
  { self, http }: Pick<Services, 'self' | 'http'>,
  { crypto, random, timers = platformTimers }: ClientRuntime,
  prompts: LinkPrompts,
  signal: AbortSignal | undefined,
): Promise<Welcome> {
  const options = { http, apiPath: self.paths.api, timers, signal };
  const privateKey = random(PRIVATE_KEY_BYTES);
  const newKey = crypto.x25519.publicKey(privateKey);
  const id = await openLinkChannel(options);
  const channel = new LinkChannel(options, id);
  prompts.code(formatLinkCode({ id, key: newKey }));
  try {
    const commitment = await channel.read(LINK_SLOTS.commitment);
    const nonce = random(LINK_NONCE_BYTES);
    await channel.leave(LINK_SLOTS.nonce, nonce);
    const { key: oldKey, salt } = LINK_REVEAL.decode(await channel.read(LINK_SLOTS.reveal), 'bad-link-message');
    if (!crypto.equal(commitmentTo(crypto, oldKey, salt), commitment)) throw forged();
    const shared = crypto.x25519.sharedSecret(privateKey, oldKey);
    const transcript = { address: self.address, id, newKey, commitment, nonce, oldKey, salt };
    const secrets = linkSecrets(crypto, shared, transcript);
    prompts.digits(secrets.digits);
    await channel.leave(LINK_SLOTS.entry, secrets.seal('entry', encodeManifestDevice(self.entry)));
    return decodeWelcome(secrets.open('welcome', await channel.read(LINK_SLOTS.welcome)));
  } catch (error) {
    if (error instanceof ClientError) throw error;
    // What does not decode or open: nobody but the two devices could have made what does.
    throw forged(error);
  }
}

export function forged(cause?: unknown): ClientError {
  return new ClientError(
    'link-forged',
    'what came is not of the device that read the code: somebody is between the two; begin again, and tell the operator if it happens again',
    { cause },
  );
}
