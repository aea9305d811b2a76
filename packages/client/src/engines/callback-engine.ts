/**
 * An engine as Linphone's IMEE asks for one: callbacks that get a message and answer the changed one, -1 or an error code
 * (docs/spec/engines.md section 3). It has no identity in manifests, no sessions, and needs no network.
 *
 * The callbacks see the whole plaintext of a message as `CONTENT_TYPE`, with all that our devices tell each other in it, and leave it
 * under a type of their own, as a text becomes `multipart/encrypted` in Linphone. The other side gives back the first type.
 */
import { decodeContent, encodeContent } from '@sealwire/wire/envelope';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { Transaction } from '../storage/ledger.ts';
import type {
  EncryptionEngine,
  EngineFailure,
  EngineResult,
  FileHooks,
  OutgoingDraft,
  ReceivedMessage,
  SealedMessage,
} from './engine.ts';

/** Of the plaintext: packages/wire/proto/envelope.proto, `Content`. */
export const CONTENT_TYPE = 'application/vnd.sealwire.content';
/** IMEE: the message is not for this engine. */
export const SKIPPED = -1;
/** A device that gets the shared body and nothing of its own. */
const PART = Uint8Array.of(1);
const INTERNAL_ERROR = 500;
const NOT_ACCEPTABLE_HERE = 488;

export interface EngineMessage {
  /** The other account, on both sides. */
  readonly conversation: AccountAddress;
  readonly contentType: string;
  readonly body: Uint8Array;
}

export interface ChangedMessage {
  /** A media type. */
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** Done (IMEE: 0) with the changed message; `SKIPPED`; or a status code of SIP, 300 to 699, with which the message is refused. */
export type CallbackResult = ChangedMessage | number;

export interface EngineCallbacks {
  /** Lower case, at most 32 characters. */
  readonly id: string;
  /** As in `EncryptionEngine`. */
  readonly mustBeChosen?: true;
  /** `records`: of this engine alone; what is written becomes durable together with the message. */
  processOutgoing(
    message: EngineMessage & { readonly devices: readonly DeviceId[] },
    records: Transaction,
  ): CallbackResult;
  /** What is written stays only when the message was read. */
  processIncoming(message: EngineMessage & { readonly sender: DeviceId }, records: Transaction): CallbackResult;
  /** Of `callbackFiles`. Absent: files of its conversations go under the first engine that encrypts files. */
  readonly files?: FileHooks;
}

export function callbackEngine(callbacks: EngineCallbacks): EncryptionEngine {
  const { id, mustBeChosen, files } = callbacks;
  return {
    id,
    ...(mustBeChosen && { mustBeChosen }),
    ...(files && { files }),
    processOutgoing: (draft, _gathered, transaction) => outgoing(callbacks, draft, transaction),
    processIncoming: (message, transaction) => incoming(callbacks, message, transaction),
  };
}

function outgoing(callbacks: EngineCallbacks, draft: OutgoingDraft, records: Transaction): EngineResult<SealedMessage> {
  const { recipientUser: conversation, plaintext: body } = draft;
  const devices = [...draft.recipients, ...draft.copies].map((device) => device.id);
  const result = callbacks.processOutgoing({ conversation, contentType: CONTENT_TYPE, body, devices }, records);
  if (typeof result === 'number') return withoutMessage(callbacks, result);
  const cipherMessage = encodeContent({ type: result.contentType, body: result.body, sentAt: 0 });
  const parts = devices.map((device) => ({ device, content: PART }));
  return { status: 'done', value: { parts, cipherMessage, unserved: [] } };
}

/** Throws what the callback throws, and `WireError` for what no such engine has made. */
function incoming(
  callbacks: EngineCallbacks,
  message: ReceivedMessage,
  records: Transaction,
): EngineResult<Uint8Array> {
  const { conversation, sender, cipherMessage } = message;
  const { type: contentType, body } = decodeContent(cipherMessage);
  const result = callbacks.processIncoming({ conversation, contentType, body, sender: sender.id }, records);
  if (typeof result === 'number') return withoutMessage(callbacks, result);
  if (result.contentType === CONTENT_TYPE) return { status: 'done', value: result.body };
  return failed(callbacks, NOT_ACCEPTABLE_HERE, `it left ${result.contentType}, which is no ${CONTENT_TYPE}`);
}

function withoutMessage(callbacks: EngineCallbacks, result: number): EngineResult<never> {
  if (result === SKIPPED) return { status: 'skipped' };
  const isStatusCode = Number.isInteger(result) && result >= 300 && result <= 699;
  return failed(callbacks, isStatusCode ? result : INTERNAL_ERROR, `it refused the message (${result})`);
}

function failed({ id }: EngineCallbacks, statusCode: number, text: string): EngineFailure {
  return { status: 'error', code: 'engine-failed', statusCode, text: `the engine ${id}: ${text}` };
}
