/** A refusal as it is told to the application: the server's own problem (RFC 9457), or what can be said of a status. */
import { ProblemAnswer } from '@sealwire/wire/http';
import { ClientError } from '../errors.ts';
import { retryAfterOf } from './retry-after.ts';

/** `where`: what was asked, for the text; nothing secret. */
export function problemOf(response: Response, body: Uint8Array, where: string): ClientError {
  const retryAfterMs = retryAfterOf(response.headers.get('retry-after'));
  const after = retryAfterMs === undefined ? {} : { retryAfterMs };
  try {
    const problem = ProblemAnswer.parse(JSON.parse(new TextDecoder().decode(body)));
    const { code, detail, title, retryable, errors = [] } = problem;
    const pointers = errors.map(({ pointer }) => pointer);
    return new ClientError(code, detail ?? title, { retryable, pointers, ...after });
  } catch {
    // A proxy in front of the server has spoken, or a server of another kind: the status is all there is.
    const retryable = response.status >= 500 || response.status === 429;
    const code = retryable ? 'unavailable' : 'bad-answer';
    return new ClientError(code, `${where} answered ${response.status}`, { retryable, ...after });
  }
}
