/**
 * One table of errors: stable code, HTTP status (RFC 9457 problems), whether a retry of the same request can succeed, text.
 * And one table of WebSocket close codes; its ranges decide what a client does:
 *   4000-4099 reconnect with jitter · 4100-4199 renew the token first · 4400-4499 terminal, never loop.
 */
interface ErrorRow {
  readonly status: number;
  readonly retryable: boolean;
  readonly title: string;
}

export const ERRORS = {
  'bad-request': { status: 400, retryable: false, title: 'The request does not have the documented form' },
  'bad-frame': { status: 400, retryable: false, title: 'The frame does not have the documented form' },
  'unknown-frame': { status: 400, retryable: false, title: 'This server does not know that frame' },
  unauthorized: { status: 401, retryable: false, title: 'Not logged in, or the proof of the login is wrong' },
  'token-expired': { status: 401, retryable: true, title: 'The access token has ended: log in again' },
  'invitation-invalid': {
    status: 403,
    retryable: false,
    title: 'This server asks for an invitation code, and this is not a good one',
  },
  'reset-code-invalid': {
    status: 403,
    retryable: false,
    title: 'This is no reset code of that account, or it was used, or it has ended',
  },
  forbidden: { status: 403, retryable: false, title: 'Not allowed' },
  'contact-needed': {
    status: 403,
    retryable: false,
    title: 'This account hears of strangers by one short message a day',
  },
  'not-found': { status: 404, retryable: false, title: 'There is no such thing here' },
  'method-not-allowed': { status: 405, retryable: false, title: 'This resource does not take that method' },
  'name-taken': { status: 409, retryable: false, title: 'That name belongs to somebody else' },
  conflict: { status: 409, retryable: false, title: 'This contradicts what is already there' },
  'message-conflict': { status: 409, retryable: false, title: 'This message id was used for another content' },
  'device-mismatch': { status: 409, retryable: true, title: 'The devices of the recipient are not the ones named' },
  'keys-differ': { status: 409, retryable: false, title: 'The directory holds other keys of this device' },
  'upload-incomplete': { status: 409, retryable: false, title: 'Parts of the file are missing: send them first' },
  'unknown-device': { status: 404, retryable: false, title: 'There is no such device' },
  'payload-too-large': { status: 413, retryable: false, title: 'Larger than the limit' },
  'range-not-satisfiable': { status: 416, retryable: false, title: 'The file does not have that range' },
  'unsupported-media-type': { status: 415, retryable: false, title: 'This content type is not taken here' },
  'invalid-manifest': { status: 422, retryable: false, title: 'The manifest is not valid' },
  'limit-reached': { status: 422, retryable: false, title: 'A documented limit is reached' },
  'too-many-requests': { status: 429, retryable: true, title: 'Too many requests: slow down' },
  'mailbox-full': { status: 429, retryable: true, title: 'The recipient’s mailbox is full' },
  internal: { status: 500, retryable: true, title: 'Something went wrong here; it has been noted' },
  unavailable: { status: 503, retryable: true, title: 'Not now: try again shortly' },
  'storage-full': { status: 507, retryable: true, title: 'There is no room for files here until somebody makes some' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

export type CloseAction = 'reconnect' | 'renew' | 'stop';

interface CloseRow {
  readonly name: string;
  readonly action: CloseAction;
  readonly text: string;
}

export const CLOSE_CODES = {
  1000: { name: 'normal', action: 'reconnect', text: 'closed as asked' },
  1001: { name: 'going-away', action: 'reconnect', text: 'the other side goes away' },
  1009: { name: 'too-big', action: 'stop', text: 'a frame larger than the limit' },
  1012: { name: 'restart', action: 'reconnect', text: 'the server restarts' },
  1013: { name: 'overload', action: 'reconnect', text: 'the server is overloaded' },
  4000: { name: 'draining', action: 'reconnect', text: 'this node stops; another takes over' },
  4001: { name: 'too-slow', action: 'reconnect', text: 'the client reads more slowly than its messages arrive' },
  4002: { name: 'replaced', action: 'reconnect', text: 'a newer connection of the same device took over' },
  4003: { name: 'no-pong', action: 'reconnect', text: 'no answer to a ping' },
  4004: { name: 'no-hello', action: 'reconnect', text: 'no hello within five seconds' },
  4005: {
    name: 'too-many-frames',
    action: 'reconnect',
    text: 'more frames that bring no message than a socket may send',
  },
  4100: { name: 'token-expired', action: 'renew', text: 'the access token has ended' },
  4101: { name: 'token-refused', action: 'renew', text: 'the access token is not a good one' },
  4400: { name: 'protocol-error', action: 'stop', text: 'a frame that breaks the protocol' },
  4401: { name: 'device-removed', action: 'stop', text: 'this device is not part of its account any more' },
} as const satisfies Record<number, CloseRow>;

export type CloseCode = keyof typeof CLOSE_CODES;
export type CloseName = (typeof CLOSE_CODES)[CloseCode]['name'];

/** What a client does after `code`, codes outside the table by their range (RFC 6455 section 7.4). */
export function closeAction(code: number): CloseAction {
  const row = (CLOSE_CODES as Record<number, CloseRow>)[code];
  if (row) return row.action;
  if (code >= 4400 && code < 4500) return 'stop';
  return code >= 4100 && code < 4200 ? 'renew' : 'reconnect';
}

export function closeCodeOf(name: CloseName): CloseCode {
  const found = Object.entries(CLOSE_CODES).find(([, row]) => row.name === name) as [string, unknown];
  return Number(found[0]) as CloseCode;
}
