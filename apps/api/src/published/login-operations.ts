/** The routes of a login, for the description of the API. */
import type { Operation } from '@sealwire/service/openapi';
import { AppPasswordLoginBody, ChallengeAnswer, ChallengeBody, TokenAnswer, TokenBody } from '@sealwire/wire/http';
import { LIMITED } from './problems.ts';

export const LOGIN_OPERATIONS: readonly Operation[] = [
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
    problems: ['forbidden', 'unauthorized', ...LIMITED],
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
];
