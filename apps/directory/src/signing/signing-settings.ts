/** The key by which a directory signs its answers. */
import { setting } from '@sealwire/service/config';
import { secretBytes } from '@sealwire/service/settings';

export const SIGNING_SETTINGS = {
  DIRECTORY_SIGNING_KEY: setting(secretBytes(32).optional(), {
    about:
      'Signs what the key directory answers of manifests and keys; the same for every key directory, and for good: devices pin it, and refuse another until their users accept it. 32 random bytes in base64url, as for `TOKEN_KEY`. Not set: solo makes one at its first start, and others sign nothing.',
    secret: true,
    example: '/run/secrets/directory-key',
  }),
} as const;
