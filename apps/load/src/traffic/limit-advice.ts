/** Which setting of a server has the limit that stood in the way (docs/operations/configuration.md). */
import type { Refused } from '@sealwire/light/limits';

const SETTINGS: readonly (readonly [string, string])[] = [
  ['/v1/accounts', 'ACCOUNTS_PER_ADDRESS'],
  ['/v1/login', 'LOGINS_PER_ADDRESS'],
  ['/v1/attachments', 'NEW_ATTACHMENTS_PER_ACCOUNT'],
  ['/directory', 'MANIFEST_WRITES_PER_ADDRESS'],
  ['/lime', 'BUNDLES_PER_REQUESTER and KEY_UPLOADS_PER_DEVICE'],
];

/** One line, with the fix. The same for all that one setting limits. */
export function limitAdvice({ path }: Refused): string {
  const [, setting] = SETTINGS.find(([prefix]) => path.startsWith(prefix)) ?? [];
  return setting === undefined
    ? `waits for a limit of the server: ${path}`
    : `waits for a limit of the server: start it with ${setting}=0 for the time of the test`;
}
