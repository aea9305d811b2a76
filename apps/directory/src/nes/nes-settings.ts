/** Settings of the public-keys provider of NES. */
import { setting } from '@sealwire/service/config';
import { MAIL_SETTINGS } from '@sealwire/service/mail';
import { wholeNumber } from '@sealwire/service/settings';
import { z } from 'zod';

export const NES_SETTINGS = {
  NES_PROVIDER: setting(z.enum(['off', 'on']), {
    about: '`on`: the public-keys provider of the NES messenger is at `/users` (docs/operations/nes.md).',
    default: 'off',
  }),
  NES_KEY: setting(z.string().min(1).optional(), {
    about:
      'The RSA private key that signs what the provider answers, PEM: the same one in all processes that serve it. Not set: solo makes one at its first start with the provider.',
    secret: true,
    example: '/run/secrets/nes-key.pem',
  }),
  NES_REQUESTS_PER_ADDRESS: setting(wholeNumber(0), {
    about: 'Requests a minute to that provider from one client address; 0: no limit.',
    default: '600',
  }),
  ...MAIL_SETTINGS,
} as const;
