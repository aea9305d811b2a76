/** How often one client address may ask the provider, and how many mails it may cause; and how many one mailbox gets. */
import type { IncomingMessage } from 'node:http';
import { clientAddress, limiterKey, trustedProxies } from '@sealwire/service/client-address';
import { createLimiter, type LimiterDeps } from '@sealwire/service/rate-limit';
import type { DirectorySettings } from '../settings.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface NesLimiters {
  /** Rejects with a 429 `Problem`. */
  request(request: IncomingMessage): Promise<void>;
  /** A mail to `email`, in small letters. Rejects with a 429 `Problem`. */
  mail(request: IncomingMessage, email: string): Promise<void>;
}

export function createNesLimiters(settings: DirectorySettings, deps: LimiterDeps): NesLimiters {
  const proxies = trustedProxies(settings.TRUSTED_PROXIES);
  const keyOf = (request: IncomingMessage) => limiterKey(clientAddress(request, proxies));
  const requests = createLimiter('nes-requests', { points: settings.NES_REQUESTS_PER_ADDRESS, windowMs: MINUTE }, deps);
  const mails = createLimiter('mails-address', { points: settings.MAILS_PER_ADDRESS, windowMs: HOUR }, deps);
  const recipients = createLimiter('mails-recipient', { points: settings.MAILS_PER_RECIPIENT, windowMs: DAY }, deps);
  return {
    async request(request) {
      await requests.demand(keyOf(request));
    },
    async mail(request, email) {
      await mails.demand(keyOf(request));
      await recipients.demand(email);
    },
  };
}
