/** The API as OpenAPI sees it. A test holds this list against the routes that really answer. */
import type { ApiDescription, Operation } from '@sealwire/service/openapi';
import {
  AccountAnswer,
  AppPasswordLoginBody,
  AppPasswordsAnswer,
  ChallengeAnswer,
  ChallengeBody,
  CreateAccountBody,
  DevicesAnswer,
  JwksAnswer,
  MakeAppPasswordBody,
  NewAppPasswordAnswer,
  SignedManifestBody,
  TokenAnswer,
  TokenBody,
  WellKnown,
} from '@sealwire/wire/http';
import { z } from 'zod';

const LIMITED = ['too-many-requests', 'unavailable'] as const;
const CALLER_PROBLEMS = ['unauthorized', 'token-expired', 'unavailable'] as const;

const operations: readonly Operation[] = [
  {
    id: 'createAccount',
    method: 'post',
    path: '/v1/accounts',
    summary: 'Make an account',
    description:
      'The manifest is version 1, names exactly one device, and is signed by the account key. Idempotent without an Idempotency-Key: the same body again answers 200 and the same account, so a client repeats after a lost answer.',
    caller: 'anyone',
    body: CreateAccountBody,
    answers: {
      201: { description: 'made', schema: AccountAnswer },
      200: { description: 'was made by the same request before', schema: AccountAnswer },
    },
    problems: ['invitation-invalid', 'name-taken', 'conflict', 'invalid-manifest', ...LIMITED],
  },
  {
    id: 'showAccount',
    method: 'get',
    path: '/v1/account',
    summary: 'The caller’s account',
    description: '',
    caller: 'device',
    answers: { 200: { description: 'the account', schema: AccountAnswer } },
    problems: CALLER_PROBLEMS,
  },
  {
    id: 'deleteAccount',
    method: 'delete',
    path: '/v1/account',
    summary: 'Delete the caller’s account',
    description:
      'Devices, keys, manifests and mailboxes go; the name is never given out again. Tokens of the account are dead at once: a repeat answers 401.',
    caller: 'device',
    answers: { 204: { description: 'deleted' } },
    problems: CALLER_PROBLEMS,
  },
  {
    id: 'listDevices',
    method: 'get',
    path: '/v1/devices',
    summary: 'The devices of the caller’s account',
    description:
      'Oldest first; those that wait to be admitted come after the listed ones, with `state` `waiting`: they registered keys by app password, and no manifest names them. The signed manifest of the key directory is the list to encrypt for; this one is the server’s.',
    caller: 'device',
    answers: { 200: { description: 'the devices', schema: DevicesAnswer } },
    problems: CALLER_PROBLEMS,
  },
  {
    id: 'removeDevice',
    method: 'delete',
    path: '/v1/devices/{id}',
    summary: 'Cut a device off',
    description:
      'Login, keys and mailbox of the device go and its sockets close; the id is never given out again. A repeat answers 404. Publish a manifest without it next. Waiting devices go the same way, and need no manifest.',
    caller: 'device',
    parameters: [
      { name: 'id', in: 'path', schema: z.string(), description: 'a device id of the caller’s own account' },
    ],
    answers: { 204: { description: 'removed' } },
    problems: [...CALLER_PROBLEMS, 'not-found'],
  },
  {
    id: 'makeAppPassword',
    method: 'post',
    path: '/v1/app-passwords',
    summary: 'Make an app password',
    description:
      'For a program that knows HTTP Digest and no tokens (Linphone): good for the key directory’s `/lime` and for `/v1/login/app-password`. The password is in this answer only. Names are unique within the account, so a client whose answer got lost finds a 409, revokes and makes another.',
    caller: 'device',
    body: MakeAppPasswordBody,
    answers: { 201: { description: 'made', schema: NewAppPasswordAnswer } },
    problems: [...CALLER_PROBLEMS, 'not-found', 'conflict', 'limit-reached', 'too-many-requests'],
  },
  {
    id: 'listAppPasswords',
    method: 'get',
    path: '/v1/app-passwords',
    summary: 'The app passwords of the caller’s account',
    description: 'Oldest first, without the passwords.',
    caller: 'device',
    answers: { 200: { description: 'the app passwords', schema: AppPasswordsAnswer } },
    problems: [...CALLER_PROBLEMS, 'not-found'],
  },
  {
    id: 'revokeAppPassword',
    method: 'delete',
    path: '/v1/app-passwords/{id}',
    summary: 'Revoke an app password',
    description:
      'It is refused from the next request on; a token got with it lives out its 15 minutes. A repeat answers 404.',
    caller: 'device',
    parameters: [{ name: 'id', in: 'path', schema: z.string(), description: 'as the list shows it' }],
    answers: { 204: { description: 'revoked' } },
    problems: [...CALLER_PROBLEMS, 'not-found'],
  },
  {
    id: 'makeChallenge',
    method: 'post',
    path: '/v1/login/challenge',
    summary: 'Begin a login',
    description:
      'A challenge for that device, good for 60 seconds and one answer. Any device id gets one, known or not.',
    caller: 'anyone',
    body: ChallengeBody,
    answers: { 200: { description: 'the challenge', schema: ChallengeAnswer } },
    problems: [...LIMITED],
  },
  {
    id: 'answerChallenge',
    method: 'post',
    path: '/v1/login/token',
    summary: 'Finish a login',
    description:
      'The signature is the login key’s (Ed25519) over `sealwire/login/v1`, the public origin, the device id and the challenge, each followed by a zero byte. The token is an EdDSA JWT of 15 minutes, to be sent as `Authorization: Bearer`.',
    caller: 'anyone',
    body: TokenBody,
    answers: { 200: { description: 'the token', schema: TokenAnswer } },
    problems: ['unauthorized', ...LIMITED],
  },
  {
    id: 'loginByAppPassword',
    method: 'post',
    path: '/v1/login/app-password',
    summary: 'Log in with an app password',
    description:
      'Only for a device that the manifest of that account names without a login key. The token is good for the key directory and the relay, not for this API. Every failure is the same 401.',
    caller: 'anyone',
    body: AppPasswordLoginBody,
    answers: { 200: { description: 'the token', schema: TokenAnswer } },
    problems: ['unauthorized', ...LIMITED],
  },
  {
    id: 'tokenKeys',
    method: 'get',
    path: '/v1/.well-known/jwks.json',
    summary: 'The keys that verify access tokens',
    description: 'A JSON Web Key Set (RFC 7517).',
    caller: 'anyone',
    answers: { 200: { description: 'the key set', schema: JwksAnswer } },
    problems: [],
  },
  {
    id: 'discover',
    method: 'get',
    path: '/.well-known/sealwire',
    summary: 'Where everything is',
    description: 'All that a client needs, from the domain name alone. Paths are relative to the origin.',
    caller: 'anyone',
    answers: { 200: { description: 'the paths', schema: WellKnown } },
    problems: [],
  },
  {
    id: 'openApi',
    method: 'get',
    path: '/openapi.json',
    summary: 'This description, as OpenAPI 3.1',
    description: '',
    caller: 'anyone',
    answers: { 200: { description: 'the document', schema: z.looseObject({}) } },
    problems: [],
  },
  {
    id: 'docs',
    method: 'get',
    path: '/docs',
    summary: 'This description, to read',
    description: '',
    caller: 'anyone',
    answers: { 200: { description: 'an HTML page', schema: z.string(), contentType: 'text/html' } },
    problems: [],
  },
];

export function apiDescription(version: string): ApiDescription {
  return {
    title: 'Sealwire API',
    version,
    description:
      'Accounts, devices and login. Errors are RFC 9457 problems with a stable `code`; 429 and 503 carry `Retry-After`; routes with a limit tell what is left of it in `RateLimit`; another method on a known path is a 405 with `Allow`. Bodies are strict: unknown fields are refused. Byte strings are base64url without padding.',
    schemas: {
      SignedManifest: SignedManifestBody,
      CreateAccount: CreateAccountBody,
      Account: AccountAnswer,
      Challenge: ChallengeBody,
      ChallengeAnswer,
      Token: TokenBody,
      TokenAnswer,
      Devices: DevicesAnswer,
      MakeAppPassword: MakeAppPasswordBody,
      NewAppPassword: NewAppPasswordAnswer,
      AppPasswords: AppPasswordsAnswer,
      AppPasswordLogin: AppPasswordLoginBody,
      Jwks: JwksAnswer,
      WellKnown,
    },
    operations,
  };
}
