/** The engine of docs/spec/engines.md section 3: AES-256-GCM under a key that both sides were given. */
import { CONTENT_TYPE, callbackEngine, SKIPPED } from '@sealwire/client/callback-engine';
import type { EngineFactory } from '@sealwire/client/engine';

const SEALED = 'application/x-shared-key';
const NONCE_BYTES = 12;
const NOT_ACCEPTABLE_HERE = 488;

/** `key`: 32 bytes. */
export function sharedKeyEngine(key: Uint8Array): EngineFactory {
  return ({ crypto, random }) =>
    callbackEngine({
      id: 'shared-key',
      processOutgoing({ contentType, body }) {
        if (contentType !== CONTENT_TYPE) return SKIPPED;
        const nonce = random(NONCE_BYTES);
        const sealed = crypto.aes256gcm.seal(key, nonce, body, new TextEncoder().encode(SEALED));
        return { contentType: SEALED, body: Uint8Array.from([...nonce, ...sealed]) };
      },
      processIncoming({ contentType, body }) {
        if (contentType !== SEALED) return NOT_ACCEPTABLE_HERE;
        const [nonce, sealed] = [body.subarray(0, NONCE_BYTES), body.subarray(NONCE_BYTES)];
        // Throws when it is not what was sealed: the sender hears 500.
        const opened = crypto.aes256gcm.open(key, nonce, sealed, new TextEncoder().encode(SEALED));
        return { contentType: CONTENT_TYPE, body: opened };
      },
    });
}
