/** Names of users (docs/spec/nes.md section 2). They go into topics and URLs, so that nothing else may be in them. */
import { NesError } from './errors.ts';

const USERNAME = /^[a-z0-9_-]{3,32}$/;

export type Username = string & { readonly __username: never };

export function isUsername(text: unknown): text is Username {
  return typeof text === 'string' && USERNAME.test(text);
}

/** Throws `bad-username`. */
export function parseUsername(text: string): Username {
  if (isUsername(text)) return text;
  throw new NesError('bad-username', `${JSON.stringify(text)} is no name: 3 to 32 small letters, digits, _ or -`);
}

/** Where what is for a user is published and listened to (docs/spec/nes.md section 2). */
export function topicOf(username: Username): string {
  return `nes/${username}/message`;
}
