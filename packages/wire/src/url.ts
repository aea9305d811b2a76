/** `new URL` without the exception; `URL.canParse` of Node 20, once it is hot, refuses what has a letter of Latin-1. */

/** `base`: of a relative reference. Undefined for what is no URL. */
export function urlIn(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
