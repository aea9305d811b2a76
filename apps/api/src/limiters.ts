/** Who may try how often: accounts and logins by client address, logins by device too (cases H12, I08). */
import type { IncomingMessage } from 'node:http';
import { clientAddress, limiterKey, trustedProxies } from '@sealwire/service/client-address';
import type { Metrics } from '@sealwire/service/metrics';
import { createLimiter } from '@sealwire/service/rate-limit';
import type { DeviceId } from '@sealwire/wire/ids';
import type { ApiSettings } from './settings.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export interface ApiLimiters {
  /** Throws a 429 `Problem`. */
  account(request: IncomingMessage): Promise<void>;
  /** Throws a 429 `Problem`. */
  login(request: IncomingMessage, device: DeviceId): Promise<void>;
}

export function createApiLimiters(settings: ApiSettings, metrics: Metrics): ApiLimiters {
  const proxies = trustedProxies(settings.TRUSTED_PROXIES);
  const budget = (points: number, windowMs: number) => ({ points, windowMs });
  const accounts = createLimiter('accounts-address', budget(settings.ACCOUNTS_PER_ADDRESS, HOUR), metrics);
  const addresses = createLimiter('logins-address', budget(settings.LOGINS_PER_ADDRESS, MINUTE), metrics);
  const devices = createLimiter('logins-device', budget(settings.LOGINS_PER_DEVICE, MINUTE), metrics);
  const keyOf = (request: IncomingMessage) => limiterKey(clientAddress(request, proxies));
  return {
    account: (request) => accounts.demand(keyOf(request)),
    async login(request, device) {
      await addresses.demand(keyOf(request));
      await devices.demand(device);
    },
  };
}
