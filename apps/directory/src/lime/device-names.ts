/** Which device an id in a LIME request means. LIME itself knows no form of ids (lime-protocol section 1). */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { opaqueString } from '@sealwire/wire/precis';
import { WireError } from '@sealwire/wire/wire-error';

/** Undefined: no device. */
export type DeviceNamed = (id: string) => DeviceId | undefined;

/** The devices of accounts, `sip:USER@DOMAIN;gr=…`. */
export const accountDevice: DeviceNamed = (id) => ifWireTakes(() => parseDeviceId(id));

/**
 * Those, and under any other id (text in its PRECIS form, of no more bytes than ids have) a device that is of no account: it is kept by
 * a digest of its id, in a domain that nobody has (RFC 2606), so that it counts and collides with nothing.
 */
export function anyDevice({ sha256 }: Pick<CryptoProvider, 'sha256'>): DeviceNamed {
  return (id) => accountDevice(id) ?? ifWireTakes(() => parseDeviceId(`sip:${digestOf(id)}@lime.invalid;gr=any`));

  function digestOf(id: string): string {
    const bytes = Buffer.from(id, 'utf8');
    if (bytes.length > LIMITS.deviceIdBytes.value || opaqueString(id) !== id)
      throw new WireError('bad-device-id', 'longer than an id, or another text looks the same');
    return encodeBase64url(sha256(bytes));
  }
}

function ifWireTakes(parse: () => DeviceId): DeviceId | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
