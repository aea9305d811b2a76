/** Who takes part in a run, and how that is written down. */
import type { LightIdentity } from '@sealwire/light/account';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { type DeviceId, parseDeviceId } from '@sealwire/wire/ids';

/** A device whose keys are the SDK's. */
export interface SdkIdentity {
  readonly id: DeviceId;
  readonly keysFile: string;
}

/** A member of a conversation that another worker has. */
export interface Elsewhere {
  readonly id: DeviceId;
  readonly elsewhere: true;
}

export type Participant = LightIdentity | SdkIdentity | Elsewhere;

/** A `LightIdentity` in JSON. */
export interface WrittenIdentity {
  readonly id: string;
  readonly loginSeed: string;
  readonly identitySeed: string;
}

export function writeIdentity({ id, loginSeed, identitySeed }: LightIdentity): WrittenIdentity {
  return { id, loginSeed: encodeBase64url(loginSeed), identitySeed: encodeBase64url(identitySeed) };
}

/** Throws for what is none. */
export function readIdentity({ id, loginSeed, identitySeed }: WrittenIdentity): LightIdentity {
  return {
    id: parseDeviceId(id),
    loginSeed: decodeBase64url(loginSeed),
    identitySeed: decodeBase64url(identitySeed),
  };
}
