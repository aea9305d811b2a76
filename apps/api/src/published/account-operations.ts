/** The routes of accounts, their devices and their app passwords, for the description of the API. */
import type { Operation } from '@sealwire/service/openapi';
import {
  AccountAnswer,
  ActivationAnswer,
  ActivationBody,
  AppPasswordsAnswer,
  CreateAccountBody,
  DevicesAnswer,
  MakeAppPasswordBody,
  NewAppPasswordAnswer,
  ResetAccountBody,
} from '@sealwire/wire/http';
import { z } from 'zod';
import { CALLER_PROBLEMS, LIMITED } from './problems.ts';

export const ACCOUNT_OPERATIONS: readonly Operation[] = [
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
    id: 'sendActivation',
    method: 'post',
    path: '/v1/activations',
    summary: 'Have a code mailed',
    description:
      'Where `gate` is `email`: the code is the `invitation` of one account, for a day. The answer says nothing of who has an account already. 403 where no codes are sent, and for addresses of domains that the operator did not name.',
    caller: 'anyone',
    body: ActivationBody,
    answers: { 202: { description: 'a mail is on its way', schema: ActivationAnswer } },
    problems: ['forbidden', ...LIMITED],
  },
  {
    id: 'resetAccount',
    method: 'post',
    path: '/v1/resets',
    summary: 'Give an account another key',
    description:
      'For somebody who has lost every device and the recovery key, by a code that the operator makes (`reset-account`). Devices, keys, manifests, mailboxes and app passwords of the key before go, and every contact sees that the account has another key. The same body again answers 200 and changes nothing.',
    caller: 'anyone',
    body: ResetAccountBody,
    answers: {
      201: { description: 'reset', schema: AccountAnswer },
      200: { description: 'this very request was carried out before', schema: AccountAnswer },
    },
    problems: ['reset-code-invalid', 'conflict', 'invalid-manifest', ...LIMITED],
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
];
