/** The routes by which a new device joins an account, for the description of the API. */
import type { Operation } from '@sealwire/service/openapi';
import { LinkAnswer, LinkMessageAnswer, LinkMessageBody } from '@sealwire/wire/http';
import { z } from 'zod';
import { CALLER_PROBLEMS, LIMITED } from './problems.ts';

const LINK_PARAMETERS = [
  { name: 'id', in: 'path', schema: z.string(), description: 'of the link code' },
  { name: 'slot', in: 'path', schema: z.string(), description: 'of the word, 1 to 5' },
] as const;

export const LINK_OPERATIONS: readonly Operation[] = [
  {
    id: 'openLink',
    method: 'post',
    path: '/v1/links',
    summary: 'Begin to join an account',
    description:
      'A channel over which a new device meets one that belongs to the account, for 90 seconds after each word. Two devices that know its id say what docs/spec/linking.md has them say; the server understands none of it.',
    caller: 'anyone',
    answers: { 201: { description: 'opened', schema: LinkAnswer } },
    problems: LIMITED,
  },
  {
    id: 'leaveLinkWord',
    method: 'put',
    path: '/v1/links/{id}/old/{slot}',
    summary: 'Leave a word for the new device',
    description:
      'Slots 1, 3 and 5. The same again changes nothing; another word in the place of one that was left is a 409.',
    caller: 'device',
    parameters: LINK_PARAMETERS,
    body: LinkMessageBody,
    answers: { 204: { description: 'left' } },
    problems: [...CALLER_PROBLEMS, 'not-found', 'conflict', 'too-many-requests'],
  },
  {
    id: 'answerLinkWord',
    method: 'put',
    path: '/v1/links/{id}/new/{slot}',
    summary: 'Leave a word for the device of the account',
    description: 'Slots 2 and 4, else as `leaveLinkWord`.',
    caller: 'anyone',
    parameters: LINK_PARAMETERS,
    body: LinkMessageBody,
    answers: { 204: { description: 'left' } },
    problems: ['not-found', 'conflict', 'unavailable'],
  },
  {
    id: 'readLinkWord',
    method: 'get',
    path: '/v1/links/{id}/{slot}',
    summary: 'Read a word',
    description: 'Without `message` while the other device has not left it.',
    caller: 'anyone',
    parameters: LINK_PARAMETERS,
    answers: { 200: { description: 'the word, if there is one', schema: LinkMessageAnswer } },
    problems: ['not-found', 'unavailable'],
  },
];
