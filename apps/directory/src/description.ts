/** The directory's JSON routes as OpenAPI sees them; `/lime` speaks a binary protocol and is described by its own specification. */
import { type ApiDescription, type Operation, openApiDocument, type Parameter } from '@sealwire/service/openapi';
import {
  KeysCheckBody,
  ManifestAnswer,
  ManifestHistoryAnswer,
  PeerKeyAnswer,
  SignedManifestBody,
} from '@sealwire/wire/http';
import { z } from 'zod';
import { After } from './manifests/history-query.ts';

const NAME: Parameter = { name: 'name', in: 'path', schema: z.string(), description: 'the user name, without domain' };
const LIMITED = ['too-many-requests', 'unavailable'] as const;

const operations: readonly Operation[] = [
  {
    id: 'newestManifest',
    method: 'get',
    path: '/directory/manifests/{name}',
    summary: 'The newest manifest of an account',
    description: 'Verify it with the account key that you know, not with the one in the answer, once you know one.',
    caller: 'anyone',
    parameters: [NAME],
    answers: { 200: { description: 'the manifest and its signature', schema: ManifestAnswer } },
    problems: ['not-found', ...LIMITED],
  },
  {
    id: 'publishManifest',
    method: 'put',
    path: '/directory/manifests/{name}',
    summary: 'Publish the next version',
    description:
      'Authorised by the account key’s signature alone. New devices become devices; absent ones are removed with login, keys and mailbox, and their sockets close. The newest version again changes nothing, so a client repeats after a lost answer. A `conflict` carries the newest version as `newest`.',
    caller: 'anyone',
    parameters: [NAME],
    body: SignedManifestBody,
    answers: { 200: { description: 'published', schema: ManifestAnswer } },
    problems: ['not-found', 'conflict', 'invalid-manifest', 'limit-reached', ...LIMITED],
  },
  {
    id: 'manifestHistory',
    method: 'get',
    path: '/directory/manifests/{name}/history',
    summary: 'The versions of an account’s manifest',
    description: 'Ascending, a hundred a page.',
    caller: 'anyone',
    parameters: [
      NAME,
      {
        name: 'after',
        in: 'query',
        schema: After,
        description: 'only versions above this one; 0 by default',
      },
    ],
    answers: { 200: { description: 'a page', schema: ManifestHistoryAnswer } },
    problems: ['not-found', ...LIMITED],
  },
  {
    id: 'checkKeys',
    method: 'post',
    path: '/directory/keys/check',
    summary: 'Whether the directory holds the keys that the device believes it holds',
    description:
      'For each LIME suite, SHA-256 digests of identity key, signed prekey and one-time prekey ids, as the specification of the key server defines them. A `keys-differ` has in `errors` a pointer to each part that differs, such as `/suites/0/signedPrekey`, or to a suite that is not registered.',
    caller: 'device',
    body: KeysCheckBody,
    answers: { 204: { description: 'the same, in every part of every suite named' } },
    problems: ['unauthorized', 'token-expired', 'keys-differ', ...LIMITED],
  },
  {
    id: 'peerKey',
    method: 'get',
    path: '/directory/peer-key',
    summary: 'The key by which directories of other domains know this one',
    description: 'Ed25519. `not-found` when this directory asks no other.',
    caller: 'anyone',
    answers: { 200: { description: 'domain and key', schema: PeerKeyAnswer } },
    problems: ['not-found'],
  },
  {
    id: 'directoryOpenApi',
    method: 'get',
    path: '/directory/openapi.json',
    summary: 'This description, as OpenAPI 3.1',
    description: '',
    caller: 'anyone',
    answers: { 200: { description: 'the document', schema: z.looseObject({}) } },
    problems: [],
  },
];

export function directoryDescription(version: string): ApiDescription {
  return {
    title: 'Sealwire key directory',
    version,
    description:
      'Signed account manifests. `POST /lime` on the same server speaks the LIME key server protocol, `POST /directory/lime` the same between the directories of two domains. Errors are RFC 9457 problems; 429 and 503 carry `Retry-After`; routes with a limit tell what is left of it in `RateLimit`; another method on a known path is a 405 with `Allow`.',
    schemas: {
      SignedManifest: SignedManifestBody,
      Manifest: ManifestAnswer,
      ManifestHistory: ManifestHistoryAnswer,
      KeysCheck: KeysCheckBody,
      PeerKey: PeerKeyAnswer,
    },
    operations,
  };
}

/** As committed in `openapi.json`, without a base path. */
export function openApiText(version: string, basePath = ''): string {
  return `${JSON.stringify(openApiDocument(directoryDescription(version), basePath), null, 2)}\n`;
}
