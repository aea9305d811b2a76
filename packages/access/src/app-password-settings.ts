/** The settings of app passwords and HTTP Digest: the API makes the passwords, the key directory takes them, so both are told the same. */

import { setting } from '@sealwire/service/config';
import { secretBytes, wholeNumber } from '@sealwire/service/settings';
import { z } from 'zod';

/** What goes between quotes in a header as it is. */
const REALM = /^[ !#-[\]-~]{1,255}$/;

export const APP_PASSWORD_SETTINGS = {
  DIGEST_REALM: setting(z.string().regex(REALM, 'not printable ASCII without " and \\').optional(), {
    about:
      'The realm of HTTP Digest on `/lime`, which clients hash with their password. Not set: `DOMAIN`. Changing it ends every app password.',
    example: 'example.org',
  }),
  DIGEST_MD5: setting(z.enum(['off', 'on']), {
    about:
      'Whether `/lime` takes Digest with MD5 too, of app passwords made while it is `on`: for clients without SHA-256 only.',
    default: 'off',
  }),
  WRONG_PASSWORDS_PER_ADDRESS: setting(wholeNumber(0), {
    about: 'Wrong app passwords in ten minutes from one client address; beyond it the answer is 429; 0: no limit.',
    default: '30',
  }),
  WRONG_PASSWORDS_PER_ACCOUNT: setting(wholeNumber(0), {
    about:
      'Wrong app passwords in ten minutes for one account; beyond it the answer is 429, but for addresses that knew the right one; 0: no limit.',
    default: '100',
  }),
} as const;

/** For servers that do not make it themselves. */
export const APP_PASSWORD_KEY = setting(secretBytes(32).optional(), {
  about:
    'Seals app passwords in the store and vouches for the nonces of HTTP Digest; the same for the API and every key directory. 32 random bytes in base64url, as for `TOKEN_KEY`. Not set: no app passwords.',
  secret: true,
  example: '/run/secrets/app-password-key',
});
