/** The API as OpenAPI sees it. A test holds this list against the routes that really answer. */
import type { ApiDescription, Operation } from '@sealwire/service/openapi';
import {
  AccountAnswer,
  AppPasswordLoginBody,
  AppPasswordsAnswer,
  AttachmentAnswer,
  BeginAttachmentBody,
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
import { ACCOUNT_OPERATIONS } from './account-operations.ts';
import { ATTACHMENT_OPERATIONS } from './attachment-operations.ts';
import { CONTACT_OPERATIONS } from './contact-operations.ts';
import { LINK_OPERATIONS } from './link-operations.ts';
import { LOGIN_OPERATIONS } from './login-operations.ts';

const operations: readonly Operation[] = [
  ...ACCOUNT_OPERATIONS,
  ...ATTACHMENT_OPERATIONS,
  ...CONTACT_OPERATIONS,
  ...LINK_OPERATIONS,
  ...LOGIN_OPERATIONS,
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
      BeginAttachment: BeginAttachmentBody,
      Attachment: AttachmentAnswer,
      Jwks: JwksAnswer,
      WellKnown,
    },
    operations,
  };
}
