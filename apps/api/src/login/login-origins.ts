/** The origins that a login may be bound to (wire/login): who signs for one of these meant this server. */
import { originOf } from '@sealwire/service/public-origin';
import { isLoopback } from '@sealwire/service/settings';
import type { ApiSettings } from '../settings.ts';

/**
 * The public origin first. A server that goes by a name of this machine itself goes by its other names too: nobody else can have them.
 */
export function loginOrigins({
  PUBLIC_ORIGIN,
  OTHER_ORIGINS,
}: Pick<ApiSettings, 'PUBLIC_ORIGIN' | 'OTHER_ORIGINS'>): readonly string[] {
  const own = originOf(PUBLIC_ORIGIN);
  const { protocol, hostname, port } = new URL(own);
  const local = isLoopback(hostname) ? ['localhost', '127.0.0.1', '[::1]'] : [];
  const names = local.map((host) => new URL(`${protocol}//${host}${port && `:${port}`}`).origin);
  return [...new Set([own, ...names, ...OTHER_ORIGINS])];
}
