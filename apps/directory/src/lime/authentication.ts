/** The authentication of `/lime`, put together from the settings: tokens, app passwords if there is a key for them, open mode. */

import { createAppPasswordCheck } from '@sealwire/access/app-password-check';
import { appPasswordKey, createAppPasswordVault } from '@sealwire/access/app-password-vault';
import { createGuessLimits } from '@sealwire/access/guess-limits';
import { clientAddress, limiterKey, trustedProxies } from '@sealwire/service/client-address';
import { basePathOf } from '@sealwire/service/public-origin';
import { admittedPasswords } from '@sealwire/store/operator';
import type { DirectoryDeps } from '../deps.ts';
import { type Authenticate, authenticateBy } from './authenticate.ts';
import { type DigestScheme, digestScheme } from './authenticate-digest.ts';
import { createNonceBook } from './digest-nonce.ts';

export function authenticationOf(deps: DirectoryDeps): Authenticate {
  const { tokens, store, settings } = deps;
  const { DOMAIN, DIGEST_REALM: realm = DOMAIN } = settings;
  return authenticateBy({ tokens, store, digest: digestOf(deps), open: settings.OPEN_MODE === 'on', realm });
}

/** Undefined without a key: no app passwords, no Digest. */
function digestOf(deps: DirectoryDeps): DigestScheme | undefined {
  const { store, crypto, random, now, metrics, settings, counters, appPasswordKey: key } = deps;
  if (!key) return undefined;
  const { DOMAIN: domain, DIGEST_REALM: realm = domain, DIGEST_MD5 } = settings;
  const vault = createAppPasswordVault({ crypto, random, key, domain, realm, md5: DIGEST_MD5 === 'on' });
  const budgets = {
    perAddress: settings.WRONG_PASSWORDS_PER_ADDRESS,
    perAccount: settings.WRONG_PASSWORDS_PER_ACCOUNT,
  };
  const guesses = createGuessLimits(budgets, { now, metrics, counters });
  const check = createAppPasswordCheck({ vault, passwords: admittedPasswords(store), guesses, random, now });
  const nonceKey = appPasswordKey(crypto, key, 'nonce');
  const nonces = createNonceBook({ crypto, random, now, key: nonceKey, realm, once: store.once });
  const proxies = trustedProxies(settings.TRUSTED_PROXIES);
  const basePath = basePathOf(settings.PUBLIC_ORIGIN);
  return digestScheme({
    crypto,
    vault,
    check,
    nonces,
    keyOf: (request) => limiterKey(clientAddress(request, proxies)),
    isTargetOf: (uri, { url = '' }) =>
      uri === `${basePath}${url}` || (basePath !== '' && isRoot(url) && uri === `${basePath}${url.slice(1)}`),
  });
}

/** Under a base path, `/chat` and `/chat/` are both the root. */
function isRoot(target: string): boolean {
  return target === '/' || target.startsWith('/?');
}
