/** The manifest with which an account begins, or begins anew: it decides what its first device is, so it is checked before anything is stored. */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { Problem } from '@sealwire/service/problem';
import type { CreateAccountBody } from '@sealwire/wire/http';
import { type AccountAddress, isEnforcedDeviceId } from '@sealwire/wire/ids';
import { type Manifest, verifyManifest, verifySuccessor } from '@sealwire/wire/manifest';
import { WireError } from '@sealwire/wire/wire-error';
import type { z } from 'zod';

/** Throws a 422 `Problem` `invalid-manifest`. */
export function firstManifest(
  crypto: CryptoProvider,
  address: AccountAddress,
  { accountKey, manifest: signed }: Pick<z.output<typeof CreateAccountBody>, 'accountKey' | 'manifest'>,
): Manifest {
  try {
    const manifest = verifyManifest(crypto, accountKey, signed.manifest, signed.signature);
    verifySuccessor(crypto, undefined, manifest);
    if (manifest.address !== address) throw invalid('the manifest is of another domain, or of another name');
    if (manifest.devices.length !== 1) throw invalid('the first manifest names one device');
    if (!manifest.devices.every(({ id }) => isEnforcedDeviceId(id))) throw invalid('the device id is not ASCII');
    return manifest;
  } catch (error) {
    if (error instanceof WireError) throw new Problem('invalid-manifest', { detail: error.message }, { cause: error });
    throw error;
  }
}

function invalid(detail: string): Problem {
  return new Problem('invalid-manifest', { detail });
}
