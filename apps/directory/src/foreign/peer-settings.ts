/** Settings of the directories of other domains: where each is, and the key by which we know it. */

import { nobleCrypto } from '@sealwire/crypto/noble';
import { setting } from '@sealwire/service/config';
import { DOMAIN_NAME, isLoopback, secretBytes, wholeNumber } from '@sealwire/service/settings';
import { decodeBase64url } from '@sealwire/wire/base64url';
import { urlIn } from '@sealwire/wire/url';
import { z } from 'zod';

export interface PeerDirectory {
  readonly domain: string;
  /** Its `/directory/lime`. */
  readonly url: URL;
  /** Ed25519: verifies its requests to us. */
  readonly publicKey: Uint8Array;
}

const KEY_BYTES = 32;

export const PEER_SETTINGS = {
  PEER_DIRECTORIES: setting(peerDirectories(), {
    about:
      'Key directories of other domains that we ask, and that may ask us: `DOMAIN URL KEY`, separated by commas. URL: its `/directory/lime`; KEY: what its `/directory/peer-key` shows.',
    default: '',
    example: 'example.com https://chat.example.com/directory/lime 2h8kYx0Yq7E3mVb1oQJtB4m5c9v8r6u3w1z7a0s2d4E',
  }),
  PEER_KEY: setting(secretBytes(KEY_BYTES).optional(), {
    about:
      'Signs our requests to the directories of other domains: 32 random bytes in base64url, the same for every directory process. Not set: no other domain is asked.',
    secret: true,
    example: '/run/secrets/peer.key',
  }),
  BUNDLES_PER_PEER: setting(wholeNumber(0), {
    about:
      'Bundles that the directory of one other domain may ask for in ten minutes; beyond it the answer is 429; 0: no limit.',
    default: '30000',
  }),
} as const;

/** `DOMAIN URL KEY`, separated by commas (or a TOML list). */
function peerDirectories() {
  return z.union([z.string(), z.array(z.string())]).transform((value, context): PeerDirectory[] => {
    const entries = (typeof value === 'string' ? value.split(',') : value).map((text) => text.trim()).filter(Boolean);
    const peers: PeerDirectory[] = [];
    for (const entry of entries) {
      const peer = peerOf(entry);
      if (typeof peer !== 'string' && !peers.some(({ domain }) => domain === peer.domain)) peers.push(peer);
      else {
        const message = typeof peer === 'string' ? peer : `${peer.domain} is there twice`;
        context.issues.push({ code: 'custom', message, input: value });
        return z.NEVER;
      }
    }
    return peers;
  });
}

/** The peer, or what is wrong with the entry. */
function peerOf(entry: string): PeerDirectory | string {
  const [domain = '', address = '', key = '', ...more] = entry.split(/\s+/);
  if (more.length > 0 || key === '') return 'an entry is DOMAIN URL KEY';
  if (!DOMAIN_NAME.test(domain)) return 'not a domain name in small letters';
  const url = urlIn(address);
  if (url?.username !== '' || url.hash !== '') return 'not a URL like https://chat.example.com/directory/lime';
  // Bundles are vouched for by nothing but this link until people compare keys.
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname)))
    return 'https is needed for anything but this machine itself';
  const publicKey = keyOf(key);
  if (!publicKey) return `the key of ${domain} is not 32 bytes in base64url`;
  if (!nobleCrypto().ed25519.isValidPublicKey(publicKey)) return `the key of ${domain} is no good Ed25519 key`;
  return { domain, url, publicKey };
}

function keyOf(text: string): Uint8Array | undefined {
  try {
    const key = decodeBase64url(text);
    return key.length === KEY_BYTES ? key : undefined;
  } catch {
    return undefined;
  }
}
