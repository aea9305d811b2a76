/**
 * Where a file is asked for: at our own server, and nowhere else (docs/spec/files.md section 7). A descriptor's URL is its sender's word;
 * followed anywhere, it would show our address to whoever the sender likes, and ask machines of our network in our name (case G10).
 */
import { urlIn } from '@sealwire/wire/url';
import { ClientError } from '../errors.ts';

/**
 * `url` at `origin`, by which we know our server. `origins`: all by which it goes, asked for when `url` names another one. Throws
 * `bad-file` for a URL at another server.
 */
export async function addressAtOurServer(
  url: string,
  origin: string,
  origins: () => Promise<readonly string[]>,
): Promise<string> {
  const named = urlIn(url);
  if (named && (named.origin === origin || (await origins()).includes(named.origin)))
    return origin + named.pathname + named.search;
  const text = `this file is said to be at ${named?.host ?? 'no address'}, which is not our server ${origin}: it is not fetched`;
  throw new ClientError('bad-file', text);
}
