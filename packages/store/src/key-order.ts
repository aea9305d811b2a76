/** The order of keys in every adapter: that of their UTF-8 bytes, which is not that of JavaScript's strings. */

export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export function isAbove(key: string, after: string): boolean {
  return byBytes(key, after) > 0;
}
