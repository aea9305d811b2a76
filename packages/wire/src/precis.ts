/**
 * Names and free text in one form: the PRECIS framework (RFC 8264) with the profiles UsernameCaseMapped, UsernameCasePreserved and
 * OpaqueString (RFC 8265), on the Unicode tables that the JavaScript engine has. Why not a library, and where this is stricter than the
 * RFCs: docs/adr/0024-names-by-precis.md. No Node built-ins.
 */
import { WireError } from './wire-error.ts';

/** RFC 8264 section 9.6: DISALLOWED and PVALID whatever the tables say. */
const EXCEPTIONS_REFUSED = /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]/u;
const EXCEPTIONS_TAKEN = /[\u00df\u03c2\u06fd\u06fe\u0f0b\u3007]/u;
/** Sections 9.9 to 9.13: Jamo that no syllable is made of any more, and what is not to be seen. */
const OLD_HANGUL_JAMO = /[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb]/u;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** Section 9.1, and ASCII (9.11). */
const LETTER_DIGITS = /[!-~\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u;
const SPACE = /\p{Zs}/gu;
/** U+3000, and the block of forms that differ in width only (UAX 11). */
const OTHER_WIDTH = /[\u3000\uff00-\uffef]/gu;

const ARABIC_INDIC = /[\u0660-\u0669]/u;
const EXTENDED_ARABIC_INDIC = /[\u06f0-\u06f9]/u;

/**
 * Bidi classes (UAX 9) of what an identifier may hold: scripts from right to left have areas of their own, which Unicode keeps for
 * them. A few modifier letters count as from left to right here, and not as neutral.
 */
const ARABIC_NUMBER = /[\u0660-\u0669\u{10d30}-\u{10d39}]/u;
const EUROPEAN_NUMBER = /[0-9\u06f0-\u06f9]/u;
const RIGHT_TO_LEFT =
  /(?![\u06f0-\u06f9]|\p{M})[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const NEUTRAL = /[!-/:-@[-`{-~]|\p{Mn}/u;

/** RFC 8265 section 3.3. Throws `WireError` `bad-name`. */
export function usernameCaseMapped(text: string): string {
  return enforced(text, (name) => username(name, (form) => form.toLowerCase()));
}

/** RFC 8265 section 3.4. Throws `WireError` `bad-name`. */
export function usernameCasePreserved(text: string): string {
  return enforced(text, (name) => username(name, (form) => form));
}

/** RFC 8265 section 4.2: spaces are U+0020, and nothing invisible. Throws `WireError` `bad-text`. */
export function opaqueString(text: string): string {
  return enforced(text, (free) => {
    const form = free.replace(SPACE, ' ').normalize('NFC');
    check(form, 'bad-text', () => true);
    return form;
  });
}

function username(text: string, caseMapping: (text: string) => string): string {
  const oneWidth = text.replace(OTHER_WIDTH, (form) => form.normalize('NFKC'));
  const form = caseMapping(oneWidth).normalize('NFC');
  check(form, 'bad-name', isInIdentifier);
  if (!keepsBidiRule(form)) throw new WireError('bad-name', 'a name that mixes reading directions');
  return form;
}

/** Until nothing changes any more: RFC 8264 section 7 knows that a rule may undo what another did. */
function enforced(text: string, rules: (text: string) => string): string {
  let form = rules(text);
  for (let i = 0; i < 3; i++) {
    const again = rules(form);
    if (again === form) return form;
    form = again;
  }
  throw new WireError('bad-name', 'a text without a stable form');
}

/** RFC 8264 section 8, in its order. */
function check(text: string, code: string, isInClass: (character: string) => boolean): void {
  if (text === '') throw new WireError(code, 'an empty text');
  const characters = [...text];
  for (const [i, character] of characters.entries()) {
    if (isTakenInContext(character, characters, i) ?? isTaken(character, isInClass)) continue;
    const point = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    throw new WireError(code, `the character U+${point} is not taken here`);
  }
}

function isTaken(character: string, isInClass: (character: string) => boolean): boolean {
  if (EXCEPTIONS_TAKEN.test(character)) return true;
  if (EXCEPTIONS_REFUSED.test(character) || OLD_HANGUL_JAMO.test(character) || INVISIBLE.test(character)) return false;
  return isInClass(character);
}

/** IdentifierClass (section 4.2): letters, digits and marks that stand for nothing but themselves. */
function isInIdentifier(character: string): boolean {
  return LETTER_DIGITS.test(character) && character.normalize('NFKC') === character;
}

/**
 * CONTEXTO (RFC 5892 appendix A.3 to A.9); undefined: no such rule. CONTEXTJ, the two joiners, needs tables that the engine does not
 * have: they are invisible, and refused.
 */
function isTakenInContext(character: string, text: readonly string[], at: number): boolean | undefined {
  const [before = '', after = ''] = [text[at - 1], text[at + 1]];
  if (character === '\u00b7') return before === 'l' && after === 'l';
  if (character === '\u0375') return /\p{Script=Greek}/u.test(after);
  if (character === '\u05f3' || character === '\u05f4') return /\p{Script=Hebrew}/u.test(before);
  if (character === '\u30fb')
    return text.some((other) => /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(other));
  if (ARABIC_INDIC.test(character)) return !text.some((other) => EXTENDED_ARABIC_INDIC.test(other));
  if (EXTENDED_ARABIC_INDIC.test(character)) return !text.some((other) => ARABIC_INDIC.test(other));
  return undefined;
}

/** RFC 5893 section 2, for a text with anything from right to left in it. */
function keepsBidiRule(text: string): boolean {
  const characters = [...text];
  const isStrong = (character: string) => !ARABIC_NUMBER.test(character) && RIGHT_TO_LEFT.test(character);
  const hasNumbers = (numbers: RegExp) => characters.some((character) => numbers.test(character));
  const isEnd = (character: string) =>
    isStrong(character) || ARABIC_NUMBER.test(character) || EUROPEAN_NUMBER.test(character);
  if (!characters.some(isStrong) && !hasNumbers(ARABIC_NUMBER)) return true;
  return (
    isStrong(characters[0]!) &&
    characters.every((character) => isEnd(character) || NEUTRAL.test(character)) &&
    isEnd(characters.findLast((character) => !/\p{Mn}/u.test(character))!) &&
    !(hasNumbers(ARABIC_NUMBER) && hasNumbers(EUROPEAN_NUMBER))
  );
}
