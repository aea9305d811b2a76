/** A whole body of a request that goes past the framework, bounded. */
import type { IncomingMessage } from 'node:http';
import { Problem } from '@sealwire/service/problem';

/** Rejects with a `Problem`: 413 for more than `maxBodyBytes`, 400 when it breaks off. */
export function readBody(request: IncomingMessage, maxBodyBytes: number): Promise<Uint8Array> {
  // Not `for await`: leaving such a loop destroys the socket, and the peer would not see the 413.
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    request.on('data', (chunk: Uint8Array) => {
      size += chunk.length;
      if (size <= maxBodyBytes) chunks.push(chunk);
      else {
        request.pause();
        reject(new Problem('payload-too-large'));
      }
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => {
      if (!request.complete) reject(new Problem('bad-request', { detail: 'the body broke off' }));
    });
  });
}
