/** Where a server is: an origin, with the path under which it is where one host serves more than this (docs/spec/http.md section 1). */
import { urlIn } from './url.ts';

// No user, no query, no fragment, and no backslash, which URL takes for a slash.
const ADDRESS = /^https?:\/\/[^/?#@\\\s]+(\/[^?#\s]*)?$/i;

/**
 * The one spelling of an address: `HTTPS://Chat.Example.org:443/base/` is `https://chat.example.org/base`. Undefined when it is none, or
 * has a path that does not already say what it means (`/a/../b`, `/%61`).
 */
export function canonicalServer(text: string): string | undefined {
  const found = ADDRESS.exec(text);
  const url = urlIn(text);
  if (!found || !url) return undefined;
  const { origin, pathname } = url;
  return pathname === (found[1] ?? '/') ? (origin + pathname).replace(/\/$/, '') : undefined;
}
