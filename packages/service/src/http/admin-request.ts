/** One order of an administrator, over the socket or the address: JSON over HTTP, in and out. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LIMITS } from '@sealwire/wire/limits';
import { type FailureNotes, failureProblem } from './failure.ts';
import type { AdminCaller, AdminCommands } from './http-door.ts';
import { isOfType, isUtf8 } from './media-type.ts';
import { Problem } from './problem.ts';
import { JsonError, parseStrictJson } from './strict-json.ts';

export const JSON_TYPE = 'application/json';

/** Answers `request` in any case. */
export async function answerAdmin(
  commands: AdminCommands,
  caller: AdminCaller,
  request: IncomingMessage,
  response: ServerResponse,
  notes: FailureNotes,
): Promise<void> {
  try {
    const result = JSON.stringify(await carryOut(commands, caller, request));
    response.writeHead(200, { 'content-type': JSON_TYPE, 'cache-control': 'no-store' }).end(result);
  } catch (error) {
    const problem = failureProblem(error, notes, 'admin-socket');
    response.writeHead(problem.status, problem.headers()).end(problem.body());
  }
}

async function carryOut(commands: AdminCommands, caller: AdminCaller, request: IncomingMessage): Promise<object> {
  const path = request.url ?? '';
  const command = Object.hasOwn(commands, path) ? commands[path] : undefined;
  if (!command) throw new Problem('not-found');
  if (request.method !== 'POST') throw new Problem('method-not-allowed', { headers: { allow: 'POST' } });
  const { 'content-type': type = '' } = request.headers;
  if (!isOfType(type, JSON_TYPE) || !isUtf8(type)) throw new Problem('unsupported-media-type');
  const bytes = await bodyOf(request);
  try {
    return await command(parseStrictJson(bytes), caller);
  } catch (error) {
    throw error instanceof JsonError ? new Problem('bad-request', { detail: error.message }, { cause: error }) : error;
  }
}

/** Reads to the end in any case: who is cut off does not hear why. */
export async function bodyOf(stream: IncomingMessage, limit = LIMITS.jsonBodyBytes.value): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length <= limit) chunks.push(chunk);
  }
  if (length > limit) throw new Problem('payload-too-large');
  return Buffer.concat(chunks);
}
