/** The routes of attachments, for the description of the API. */
import type { Operation } from '@sealwire/service/openapi';
import { AttachmentAnswer, BeginAttachmentBody } from '@sealwire/wire/http';
import { z } from 'zod';
import { IdempotencyKeySchema } from '../idempotency-key.ts';
import { CALLER_PROBLEMS } from './problems.ts';

const ATTACHMENT_ID = { name: 'id', in: 'path', schema: z.string(), description: 'as it was begun' } as const;

export const ATTACHMENT_OPERATIONS: readonly Operation[] = [
  {
    id: 'beginAttachment',
    method: 'post',
    path: '/v1/attachments',
    summary: 'Begin to upload an encrypted file',
    description:
      'Its size is declared, and counts for the account from now on. Each of `parts` is sent by PUT to its `url` (a reference relative to this address, perhaps of another server), as it is and with its `Content-Length`, in any order; any 2xx is success. An upload that is not complete when it ends is swept. A client whose answer got lost repeats the call under the same Idempotency-Key, or begins anew.',
    caller: 'device',
    parameters: [
      {
        name: 'Idempotency-Key',
        in: 'header',
        schema: IdempotencyKeySchema,
        description:
          'of letters, digits, - and _, at most 64: drawn at random for this file. As long as that is there, the same key of the same device finds it.',
      },
    ],
    body: BeginAttachmentBody,
    answers: {
      201: { description: 'begun', schema: AttachmentAnswer },
      200: { description: 'was begun under that Idempotency-Key before', schema: AttachmentAnswer },
    },
    problems: [
      ...CALLER_PROBLEMS,
      'not-found',
      'conflict',
      'payload-too-large',
      'limit-reached',
      'too-many-requests',
      'storage-full',
    ],
  },
  {
    id: 'showAttachment',
    method: 'get',
    path: '/v1/attachments/{id}',
    summary: 'An attachment of the caller’s account',
    description: 'Of one that is being uploaded, the parts to be sent yet: how an upload goes on after a lost link.',
    caller: 'device',
    parameters: [ATTACHMENT_ID],
    answers: { 200: { description: 'the attachment', schema: AttachmentAnswer } },
    problems: [...CALLER_PROBLEMS, 'not-found'],
  },
  {
    id: 'completeAttachment',
    method: 'post',
    path: '/v1/attachments/{id}/complete',
    summary: 'Finish an upload',
    description:
      'All parts are there: from now on the file can be read at `url` by whoever knows it, with `Range` or without, and by no token. Idempotent.',
    caller: 'device',
    parameters: [ATTACHMENT_ID],
    answers: { 200: { description: 'the attachment', schema: AttachmentAnswer } },
    problems: [...CALLER_PROBLEMS, 'not-found', 'upload-incomplete', 'storage-full'],
  },
  {
    id: 'deleteAttachment',
    method: 'delete',
    path: '/v1/attachments/{id}',
    summary: 'Delete an attachment of the caller’s account',
    description: 'Complete or not: it goes, and counts no more. A repeat answers 404.',
    caller: 'device',
    parameters: [ATTACHMENT_ID],
    answers: { 204: { description: 'deleted' } },
    problems: [...CALLER_PROBLEMS, 'not-found'],
  },
];
