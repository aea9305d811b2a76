/** That somebody is typing, `application/im-iscomposing+xml` (RFC 3994), as Linphone says it inside a CPIM message. */
import { CpimError } from './errors.ts';
import { COMPOSING_BYTES } from './limits.ts';
import { checkSize } from './mime.ts';
import { readXml } from './xml.ts';

export const COMPOSING_TYPE = 'application/im-iscomposing+xml';

export interface Composing {
  readonly typing: boolean;
  /** Seconds in which it is said again while it is so (section 3.4); absent: not said. */
  readonly refresh?: number;
}

const XML_NAMESPACE = 'urn:ietf:params:xml:ns:im-iscomposing';
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';
const REFRESH = /^[1-9]\d{0,8}$/;

const utf8 = new TextEncoder();

/** Whether a message of this type says that somebody is typing. */
export function isComposing(type: string): boolean {
  return type.split(';', 1)[0]!.trim().toLowerCase() === COMPOSING_TYPE;
}

/** Throws `CpimError` `unwritable` for a refresh that is no number of seconds. */
export function writeComposing({ typing, refresh }: Composing): Uint8Array {
  if (refresh !== undefined && !REFRESH.test(String(refresh)))
    throw new CpimError('unwritable', `a refresh is a whole number of seconds, not ${refresh}`);
  const said = `<state>${typing ? 'active' : 'idle'}</state>${refresh === undefined ? '' : `<refresh>${refresh}</refresh>`}`;
  return utf8.encode(`${DECLARATION}<isComposing xmlns="${XML_NAMESPACE}">${said}</isComposing>`);
}

/** A state that is not known is `idle` (section 3.2); elements of others are passed over. Throws `CpimError`. */
export function readComposing(bytes: Uint8Array): Composing {
  checkSize(bytes, COMPOSING_BYTES);
  const root = readXml(bytes);
  if (root.name !== 'isComposing' || root.namespace !== XML_NAMESPACE)
    throw new CpimError('malformed', 'nobody composes here: the root is another element');
  const only = (name: string) => {
    const found = root.children.filter((child) => child.name === name && child.namespace === XML_NAMESPACE);
    if (found.length > 1) throw new CpimError('duplicate', `${name} comes twice in one word on typing`);
    return found[0]?.text.trim();
  };
  const state = only('state');
  if (state === undefined) throw new CpimError('malformed', 'a word on typing has a state');
  const refresh = only('refresh');
  const isTime = refresh !== undefined && REFRESH.test(refresh);
  return { typing: state === 'active', ...(isTime && { refresh: Number(refresh) }) };
}
