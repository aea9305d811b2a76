/** Who may try how often: accounts and logins by client address, logins by device too (cases H12, I08). */
import type { IncomingMessage } from 'node:http';
import { clientAddress, limiterKey, networkKey, trustedProxies } from '@sealwire/service/client-address';
import type { Log } from '@sealwire/service/log';
import { createLimiter, type HeaderSink, type LimiterDeps } from '@sealwire/service/rate-limit';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { ApiSettings } from './settings.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LINK_WINDOW = 2 * MINUTE;
/** Of what one address may have, that all of an IPv6 network together may: its customer takes another /64 at will. */
const ACCOUNTS_OF_NETWORK = 4;

export interface ApiLimiters {
  /** Rejects with a 429 `Problem`. */
  account(request: IncomingMessage, reply: HeaderSink): Promise<void>;
  /** A code by mail to `email`. Rejects with a 429 `Problem`. */
  activation(request: IncomingMessage, email: string, reply: HeaderSink): Promise<void>;
  /** Rejects with a 429 `Problem`. */
  login(request: IncomingMessage, reply: HeaderSink): Promise<void>;
  /** What limiters count a client address by. */
  keyOf(request: IncomingMessage): string;
  /** A new app password of the account of `device`. Rejects with a 429 `Problem`. */
  appPassword(device: DeviceId, reply: HeaderSink): Promise<void>;
  /** A new upload of the account of `device`. Rejects with a 429 `Problem`. */
  attachment(device: DeviceId, reply: HeaderSink): Promise<void>;
  /** A change of contacts, blocks or policy of the account of `device`. Rejects with a 429 `Problem`. */
  contactChange(device: DeviceId, reply: HeaderSink): Promise<void>;
  /** A channel for a device that wants to join an account. Rejects with a 429 `Problem`. */
  link(request: IncomingMessage, reply: HeaderSink): Promise<void>;
  /** `device` answers a link code. Rejects with a 429 `Problem`. */
  linkTaken(device: DeviceId, reply: HeaderSink): Promise<void>;
  /** `device` has proved its key. Rejects with a 429 `Problem`. */
  loggedIn(device: DeviceId): Promise<void>;
}

export function createApiLimiters(settings: ApiSettings, log: Log, deps: LimiterDeps): ApiLimiters {
  const proxies = trustedProxies(settings.TRUSTED_PROXIES, log);
  const budget = (points: number, windowMs: number) => ({ points, windowMs });
  const accounts = createLimiter('accounts-address', budget(settings.ACCOUNTS_PER_ADDRESS, HOUR), deps);
  const networks = createLimiter(
    'accounts-network',
    budget(ACCOUNTS_OF_NETWORK * settings.ACCOUNTS_PER_ADDRESS, HOUR),
    deps,
  );
  const mails = createLimiter('mails-address', budget(settings.MAILS_PER_ADDRESS, HOUR), deps);
  const recipients = createLimiter('mails-recipient', budget(settings.MAILS_PER_RECIPIENT, DAY), deps);
  const addresses = createLimiter('logins-address', budget(settings.LOGINS_PER_ADDRESS, MINUTE), deps);
  const devices = createLimiter('logins-device', budget(settings.LOGINS_PER_DEVICE, MINUTE), deps);
  const appPasswords = createLimiter('app-passwords', budget(settings.NEW_APP_PASSWORDS_PER_ACCOUNT, HOUR), deps);
  const attachments = createLimiter('attachments', budget(settings.NEW_ATTACHMENTS_PER_ACCOUNT, HOUR), deps);
  const contacts = createLimiter('contacts', budget(settings.CONTACT_CHANGES_PER_ACCOUNT, HOUR), deps);
  const links = createLimiter('links-address', budget(settings.LINKS_PER_ADDRESS, LINK_WINDOW), deps);
  const linksTaken = createLimiter('links-account', budget(settings.LINKS_PER_ACCOUNT, LINK_WINDOW), deps);
  const keyOf = (request: IncomingMessage) => limiterKey(clientAddress(request, proxies));
  return {
    keyOf,
    async appPassword(device, reply) {
      reply.headers(await appPasswords.demand(accountOf(device)));
    },
    async attachment(device, reply) {
      reply.headers(await attachments.demand(accountOf(device)));
    },
    async contactChange(device, reply) {
      reply.headers(await contacts.demand(accountOf(device)));
    },
    async link(request, reply) {
      reply.headers(await links.demand(keyOf(request)));
    },
    async linkTaken(device, reply) {
      reply.headers(await linksTaken.demand(accountOf(device)));
    },
    async account(request, reply) {
      const standing = await accounts.demand(keyOf(request));
      await networks.demand(networkKey(clientAddress(request, proxies)));
      reply.headers(standing);
    },
    async activation(request, email, reply) {
      reply.headers(await mails.demand(keyOf(request)));
      // Whose mailbox it is decides its server: capitals make no other person of most.
      await recipients.demand(email.toLowerCase());
    },
    async login(request, reply) {
      reply.headers(await addresses.demand(keyOf(request)));
    },
    // Not before: strangers could use up what a device has, or learn how often its owner logs in.
    async loggedIn(device) {
      await devices.demand(device);
    },
  };
}
