/** What this directory has to do with those of other domains, put together from the settings. */
import { ConfigError } from '@sealwire/service/config';
import { isBlockedDomain } from '@sealwire/store/operator';
import type { DirectoryDeps } from '../deps.ts';
import type { Authenticate } from '../lime/authenticate.ts';
import { authenticateByPeer } from './authenticate-peer.ts';
import { createForeignDirectories, type ForeignDirectories } from './foreign-directories.ts';
import { ForeignManifests } from './foreign-manifests.ts';
import { foreignPeers } from './foreign-peer.ts';
import { createPeerSigner, createPeerVerifier } from './peer-tokens.ts';

export interface Peering {
  /** The public half of `PEER_KEY`; undefined without one: no other directory is asked. */
  readonly publicKey: Uint8Array | undefined;
  readonly foreign: ForeignDirectories;
  readonly manifests: ForeignManifests;
  readonly authenticate: Authenticate;
}

/** Throws `ConfigError` when our own domain is among the peers: we would ask ourselves for ever. */
export function peeringOf({ settings, store, crypto, metrics, now, random }: DirectoryDeps): Peering {
  const { DOMAIN: domain, PEER_DIRECTORIES: peers, PEER_KEY: seed } = settings;
  if (peers.some((peer) => peer.domain === domain))
    throw new ConfigError('PEER_DIRECTORIES', `names ${domain}, which is DOMAIN`, 'name the domains of others only');
  const signer = seed && createPeerSigner({ seed, domain, now, random });
  const others = foreignPeers(peers, now);
  const keys = new Map(peers.map(({ domain, publicKey }) => [domain, publicKey]));
  const verifier = createPeerVerifier({ domain, peers: keys, now });
  const isBlocked = (name: string) => isBlockedDomain(store, name).catch(() => true);
  return {
    publicKey: signer?.publicKey,
    foreign: createForeignDirectories({ peers: others, signer, crypto, metrics, isBlocked }),
    manifests: new ForeignManifests({ peers: others, crypto, metrics, isBlocked }),
    authenticate: authenticateByPeer({ verifier, crypto, store, now, isBlocked }),
  };
}
