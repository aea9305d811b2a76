/** The half of linking of a device that belongs to the account and may change its list (docs/spec/linking.md section 3). */
import type { DeviceId } from '@sealwire/wire/ids';
import {
  encodeWelcome,
  HANDOVER_BYTES,
  LINK_NONCE_BYTES,
  LINK_REVEAL,
  LINK_SLOTS,
  parseLinkCode,
} from '@sealwire/wire/linking';
import { decodeManifestDevice, type ManifestDevice } from '@sealwire/wire/manifest';
import { WireError } from '@sealwire/wire/wire-error';
import { contactsKeyOf } from '../../contacts/contact-cipher.ts';
import { ClientError } from '../../errors.ts';
import { type ClientRuntime, platformTimers } from '../../runtime.ts';
import type { Services } from '../../services.ts';
import { administratorSeed } from '../administrator.ts';
import { publishNext } from '../manifest-draft.ts';
import { forged } from './link-as-new.ts';
import { LinkChannel } from './link-channel.ts';
import { commitmentTo, type LinkSecrets, linkSecrets } from './link-secrets.ts';
import { noteNewcomers } from './newcomers.ts';

const KEY_BYTES = 32;
const TRIES = 6;

export interface ApproveOptions {
  /** The new device may change the list of devices, too, and cannot be kept from it any more. Default: no. */
  readonly administrator?: boolean;
  /** Given to the new device, encrypted: settings, a key to older messages; at most 16 KiB. */
  readonly handover?: Uint8Array;
}

/** A device that wants in: nothing has happened yet. */
export interface LinkRequest {
  readonly device: DeviceId;
  /**
   * `digits`: as the new device shows them. Publishes the next manifest with it. Throws `wrong-digits`, after six tries `link-over`, and
   * what publishing throws. The same again after an error goes on.
   */
  approve(digits: string, options?: ApproveOptions): Promise<DeviceId>;
}

/** Throws `bad-link-code`, `link-over`, `link-forged`, `not-administrator`, `conflict` when another device has answered. */
export async function linkAsOld(
  services: Services,
  runtime: ClientRuntime,
  code: string,
  signal: AbortSignal | undefined,
): Promise<LinkRequest> {
  const { self, http, tokens } = services;
  const { crypto, random, timers = platformTimers } = runtime;
  administratorSeed(self);
  const { id, key: newKey } = parsed(code);
  const channel = new LinkChannel({ http, tokens, apiPath: self.paths.api, timers, signal }, id);
  const privateKey = random(KEY_BYTES);
  const oldKey = crypto.x25519.publicKey(privateKey);
  const salt = random(LINK_NONCE_BYTES);
  const commitment = commitmentTo(crypto, oldKey, salt);
  try {
    await channel.leave(LINK_SLOTS.commitment, commitment);
    const nonce = await channel.read(LINK_SLOTS.nonce);
    if (nonce.length !== LINK_NONCE_BYTES) throw forged();
    await channel.leave(LINK_SLOTS.reveal, LINK_REVEAL.encode({ key: oldKey, salt }));
    const shared = crypto.x25519.sharedSecret(privateKey, newKey);
    const transcript = { address: self.address, id, newKey, commitment, nonce, oldKey, salt };
    const secrets = linkSecrets(crypto, shared, transcript);
    const sealed = await channel.read(LINK_SLOTS.entry);
    const entry = decodeManifestDevice(secrets.open('entry', sealed), self.address);
    // Without one it could not log in, and nobody would have vouched for it.
    if (entry.loginKey.length === 0) throw forged();
    return requestOf(services, runtime, channel, secrets, entry);
  } catch (error) {
    if (error instanceof ClientError) throw error;
    throw forged(error);
  }
}

function requestOf(
  services: Services,
  { crypto, now }: ClientRuntime,
  channel: LinkChannel,
  secrets: LinkSecrets,
  entry: ManifestDevice,
): LinkRequest {
  const { self, book, http, ledger } = services;
  let tries = 0;
  return {
    device: entry.id,
    async approve(digits, { administrator = false, handover = new Uint8Array(0) } = {}) {
      if (handover.length > HANDOVER_BYTES)
        throw new ClientError('bad-request', `at most ${HANDOVER_BYTES} bytes are handed over`);
      if (tries >= TRIES) throw new ClientError('link-over', 'too many wrong digits: make a new link code');
      tries += 1;
      if (digits.trim() !== secrets.digits)
        throw new ClientError(
          'wrong-digits',
          'these are not the digits: if the new device shows just these, somebody is between the two; begin again',
        );
      tries -= 1;
      const accountSeed = administratorSeed(self);
      await publishNext({ self, book, http, crypto, now }, (devices) =>
        devices.some(({ id }) => id === entry.id) ? undefined : [...devices, entry],
      );
      await ledger.commit((transaction) => noteNewcomers(transaction, [entry.id], now(), administrator));
      const welcome = encodeWelcome({
        accountKey: crypto.ed25519.publicKey(accountSeed),
        accountSeed: administrator ? accountSeed : undefined,
        handover,
        contactsKey: contactsKeyOf(self, crypto),
      });
      await channel.leave(LINK_SLOTS.welcome, secrets.seal('welcome', welcome));
      return entry.id;
    },
  };
}

function parsed(code: string) {
  try {
    return parseLinkCode(code);
  } catch (error) {
    if (error instanceof WireError) throw new ClientError('bad-link-code', error.message, { cause: error });
    throw error;
  }
}
