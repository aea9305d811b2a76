/** The text of a message: where its media type says so and the bytes are UTF-8. */
export function textOf(type: string, body: Uint8Array): string | undefined {
  if (!type.startsWith('text/')) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return undefined;
  }
}
