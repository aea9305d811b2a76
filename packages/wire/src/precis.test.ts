import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { opaqueString, usernameCaseMapped, usernameCasePreserved } from './precis.ts';

fc.configureGlobal({ seed: 0x5ea1 });

const refusal = expect.objectContaining({ name: 'WireError' });

describe('user names (RFC 8265 section 3.5)', () => {
  it.each(['juliet@example.com', 'fussball', 'fußball', 'π', 'σ', 'ς'])(
    '%s is its own form, in both profiles',
    (name) => {
      expect(usernameCaseMapped(name)).toBe(name);
      expect(usernameCasePreserved(name)).toBe(name);
    },
  );

  it('Σ is σ where case is mapped, and Σ where it is not', () => {
    expect(usernameCaseMapped('Σ')).toBe('σ');
    expect(usernameCasePreserved('Σ')).toBe('Σ');
  });

  it.each([
    ['foo bar', 'a space'],
    ['', 'nothing'],
    ['henry\u2163', 'a Roman numeral, which stands for letters'],
    ['♚', 'a symbol'],
  ])('%j (%s) is refused', (name) => {
    expect(() => usernameCaseMapped(name)).toThrow(refusal);
    expect(() => usernameCasePreserved(name)).toThrow(refusal);
  });
});

describe('a name has one form', () => {
  it.each([
    ['e\u0301ve', '\u00e9ve', 'composed and decomposed'],
    ['ＡＬＩＣＥ', 'ALICE', 'full width'],
    ['ｶﾞ', 'ガ', 'half width, with a mark of its own'],
    ['\u1112\u1161\u11ab', '한', 'Jamo that make a syllable'],
    ['a\u0323\u0307', '\u1ea1\u0307', 'marks in another order'],
  ])('%j is %j: %s', (text, form) => {
    expect(usernameCasePreserved(text)).toBe(form);
    expect(usernameCaseMapped(text)).toBe(form.toLowerCase());
  });

  it('what comes out goes through unchanged, whatever went in', () => {
    for (const profile of [usernameCaseMapped, usernameCasePreserved, opaqueString])
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 8 }), (text) => {
          let form: string;
          try {
            form = profile(text);
          } catch (error) {
            expect(error).toEqual(refusal);
            return;
          }
          expect(profile(form)).toBe(form);
          expect(form.normalize('NFC')).toBe(form);
        }),
        { numRuns: 500 },
      );
  });
});

describe('what a name may not hold', () => {
  it.each([
    ['al\u202eice', 'a reversed reading order'],
    ['al\u200bice', 'a space without width'],
    ['al\u200dice', 'a joiner'],
    ['al\u200cice', 'a non-joiner'],
    ['al\u2066ice', 'an isolate'],
    ['al\u00adice', 'a hyphen that shows now and then'],
    ['al\ufeffice', 'a byte order mark'],
    ['al\ufe0fice', 'a variation selector'],
    ['al\u{e0061}ice', 'a tag'],
    ['al\u034fice', 'a grapheme joiner'],
    ['al\u3164ice', 'a filler'],
    ['al\u0007ice', 'a control character'],
    ['al\u3000ice', 'a wide space'],
    ['al\ufdd0ice', 'no character'],
    ['al\ud800ice', 'half a surrogate pair'],
    ['al\u0378ice', 'a character that Unicode does not have'],
    ['al\ue000ice', 'a private character'],
    ['ﬁn', 'a ligature'],
    ['x²', 'a superscript'],
    ['ａ\u{1d7d9}', 'a mathematical digit'],
    ['\u1100\u1100', 'Jamo that make none'],
    ['a\u0640', 'a stretched letter'],
  ])('%j: %s', (name) => {
    expect(() => usernameCasePreserved(name)).toThrow(refusal);
  });

  it('names the character, and does not repeat the text', () => {
    expect(() => usernameCasePreserved('secret\u202e')).toThrow('the character U+202E is not taken here');
  });
});

describe('characters that are taken in their place only (RFC 5892 appendix A)', () => {
  it.each(['l·l', '͵α', 'א׳', 'א״', 'ア・ア', 'ب٠', 'ب۰'])('%s', (name) => {
    expect(usernameCasePreserved(name)).toBe(name);
  });
  it.each(['a·l', '·', 'l·', '͵a', '͵', '׳א', 'a׳', 'a・b', 'ب٠۰'])('%s', (name) => {
    expect(() => usernameCasePreserved(name)).toThrow(refusal);
  });
});

describe('reading directions (RFC 5893 section 2)', () => {
  it.each(['שלום', 'שלום1', 'ש1ל', 'ש.ל', 'שָ', 'بب٠', 'ߊ߁', '𞤀𞥐', 'a1', '1a', 'abc.def'])(
    '%s keeps the rule',
    (name) => {
      expect(usernameCasePreserved(name)).toBe(name);
    },
  );
  it.each([
    ['שa', 'both directions'],
    ['aש', 'both, the other way round'],
    ['1ש', 'a number at the beginning'],
    ['ש.', 'a sign at the end'],
    ['٠', 'a number alone that needs a direction'],
    ['ب٠1', 'numbers of two kinds'],
    ['.ש', 'a sign at the beginning'],
    ['\u05b8ש', 'a mark at the beginning'],
  ])('%s breaks it: %s', (name) => {
    expect(() => usernameCasePreserved(name)).toThrow(refusal);
  });
});

describe('free text (RFC 8265 section 4.3)', () => {
  it.each(['correct horse battery staple', 'Correct Horse Battery Staple', 'πßå', 'Jack of ♦s', 'ﬁn ²', '📱'])(
    '%s is its own form',
    (text) => expect(opaqueString(text)).toBe(text),
  );
  it('other spaces are U+0020, marks are composed', () => {
    expect(opaqueString('foo\u1680bar')).toBe('foo bar');
    expect(opaqueString('e\u0301\u00a0')).toBe('\u00e9 ');
  });
  it.each(['', 'my cat is a \tby', 'a\u202eb', 'a\u200bb', 'a\nb', 'a\u2028b', 'a\ud800'])('%j is refused', (text) => {
    expect(() => opaqueString(text)).toThrow(refusal);
  });
});
