/** Why a message could not be sent, and what that means for it (docs/spec/client.md section 5). */
import { WireError } from '@sealwire/wire/wire-error';
import { asClientError, ClientError } from '../errors.ts';

/** A page of a proxy in between, servers that disagree about a token: nothing that the message could be blamed for. */
const PASSING = ['bad-answer', 'unauthorized', 'token-expired'];

export function reasonOf(error: unknown): ClientError {
  if (error instanceof WireError && error.code === 'payload-too-large')
    return new ClientError('message-too-large', 'the message is too large: send it as a file', { cause: error });
  return asClientError(error, 'engine-failed');
}

/** The same message may go later. */
export function isPassing({ code, retryable }: ClientError): boolean {
  return retryable || PASSING.includes(code);
}
