/** The routes of contacts and blocks, for the description of the API. */
import type { Operation } from '@sealwire/service/openapi';
import { BlocksAnswer, ContactPolicyBody, ContactsAnswer, ContactsBody } from '@sealwire/wire/http';
import { z } from 'zod';
import { CALLER_PROBLEMS } from './problems.ts';

const ADDRESS = {
  name: 'address',
  in: 'path',
  schema: z.string(),
  description: 'of an account, `sip:alice@example.org`',
} as const;

export const CONTACT_OPERATIONS: readonly Operation[] = [
  {
    id: 'showContacts',
    method: 'get',
    path: '/v1/contacts',
    summary: 'The contact list of the caller’s account',
    description: 'As its devices encrypted it: the server cannot read it.',
    caller: 'device',
    answers: { 200: { description: 'the list, if there is one', schema: ContactsAnswer } },
    problems: CALLER_PROBLEMS,
  },
  {
    id: 'replaceContacts',
    method: 'put',
    path: '/v1/contacts',
    summary: 'Replace the contact list',
    description:
      'The one of version `after`, 0: none, by one of a higher version; a 409 says that another one is there. The same again changes nothing. The other devices of the account that are connected hear of it.',
    caller: 'device',
    body: ContactsBody,
    answers: { 204: { description: 'replaced' } },
    problems: [...CALLER_PROBLEMS, 'conflict', 'too-many-requests'],
  },
  {
    id: 'showContactPolicy',
    method: 'get',
    path: '/v1/contacts/policy',
    summary: 'Who may write to the caller’s account',
    description: 'What the relay keeps others out by, beside the blocks.',
    caller: 'device',
    answers: { 200: { description: 'the policy', schema: ContactPolicyBody } },
    problems: CALLER_PROBLEMS,
  },
  {
    id: 'setContactPolicy',
    method: 'put',
    path: '/v1/contacts/policy',
    summary: 'Choose who may write to the caller’s account',
    description:
      '`allowed`: those who are no strangers, eight bytes each, ascending: the first of SHA-256 over `sealwire/allowed/v1`, a zero byte, the salt and the address. A 409 says that the policy of a later list is there.',
    caller: 'device',
    body: ContactPolicyBody,
    answers: { 204: { description: 'set' } },
    problems: [...CALLER_PROBLEMS, 'conflict', 'too-many-requests'],
  },
  {
    id: 'listBlocks',
    method: 'get',
    path: '/v1/blocks',
    summary: 'Whom the caller’s account has blocked',
    description: '',
    caller: 'device',
    answers: { 200: { description: 'the addresses', schema: BlocksAnswer } },
    problems: CALLER_PROBLEMS,
  },
  {
    id: 'block',
    method: 'put',
    path: '/v1/blocks/{address}',
    summary: 'Block an account',
    description:
      'Nothing that it sends arrives any more, and it is not told. The answer is the same whether there is such an account or not. A repeat changes nothing.',
    caller: 'device',
    parameters: [ADDRESS],
    answers: { 204: { description: 'blocked' } },
    problems: [...CALLER_PROBLEMS, 'not-found', 'forbidden', 'limit-reached', 'too-many-requests'],
  },
  {
    id: 'unblock',
    method: 'delete',
    path: '/v1/blocks/{address}',
    summary: 'End a block',
    description: 'What was sent meanwhile does not come any more. A repeat changes nothing.',
    caller: 'device',
    parameters: [ADDRESS],
    answers: { 204: { description: 'not blocked' } },
    problems: [...CALLER_PROBLEMS, 'not-found', 'too-many-requests'],
  },
];
