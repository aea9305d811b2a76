/**
 * What an operator should know about a server that more than this machine can reach. None of it is a mistake for certain (a proxy may
 * speak TLS, a network may be closed), so that it is said, and the server starts.
 */
import { isLoopback } from '@sealwire/service/settings';
import type { SoloSettings } from './settings.ts';

type Exposure = Pick<SoloSettings, 'LISTEN' | 'PUBLIC_ORIGIN' | 'TLS_CERT_FILE' | 'TRUSTED_PROXIES' | 'GATE'>;

/** One line each; none for a server of this machine alone. */
export function exposureWarnings({ LISTEN, PUBLIC_ORIGIN, TLS_CERT_FILE, TRUSTED_PROXIES, GATE }: Exposure): string[] {
  const { host } = LISTEN;
  if (host === '::1' || isLoopback(host)) return [];
  const warnings: string[] = [];
  if (PUBLIC_ORIGIN === undefined)
    warnings.push(
      `${host} is more than this machine, and PUBLIC_ORIGIN is not set: other machines cannot log in. Set it to the address that they use, like https://chat.example.org`,
    );
  if (TLS_CERT_FILE === undefined && TRUSTED_PROXIES.length === 0)
    warnings.push(
      `${host} is reached without TLS: set TLS_CERT_FILE and TLS_KEY_FILE, or name the proxy that speaks TLS in TRUSTED_PROXIES`,
    );
  if (GATE === 'open')
    warnings.push(
      'GATE=open: whoever reaches this server may make accounts. GATE=invitation asks for a code of `npm start -- invite`',
    );
  return warnings;
}
