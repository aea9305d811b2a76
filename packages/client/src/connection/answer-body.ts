/**
 * The body of an HTTP answer, counted as it comes: a length may be missing or a lie, and what is compressed grows on arrival. What is
 * counted is what a caller would hold, after the platform has decompressed it. Copied into one array: a piece a byte would cost hundreds.
 */

const FIRST_BYTES = 4_096;

/**
 * Undefined when the answer has more than `maximum` bytes, or says so; nothing more of it is read then. Rejects with what breaks the
 * answer off, and when `signal` fires.
 */
export async function readAnswer(
  response: Response,
  maximum: number,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const reader = response.body?.getReader();
  if (!reader) return new Uint8Array(0);
  const stop = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (Number(response.headers.get('content-length') ?? 0) > maximum) return undefined;
    let bytes = new Uint8Array(Math.min(FIRST_BYTES, maximum));
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return bytes.slice(0, length);
      if (length + value.length > maximum) return undefined;
      if (length + value.length > bytes.length) bytes = grown(bytes, Math.max(bytes.length * 2, length + value.length));
      bytes.set(value, length);
      length += value.length;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

function grown(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}
