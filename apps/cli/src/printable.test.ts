import { describe, expect, it } from '@jest/globals';
import { jsonLine, printable } from './printable.ts';

describe('printable', () => {
  it.each([
    ['a cursor movement', 'hi\u001b[2Jthere', 'hi\\u{1b}[2Jthere'],
    ['a window title', '\u001b]0;root\u0007', '\\u{1b}]0;root\\u{7}'],
    ['a C1 control', '\u009b31m', '\\u{9b}31m'],
    ['a carriage return over the line before', 'pay\rplay', 'pay\nplay'],
    ['a reversed reading order', 'exe.\u202egpj', 'exe.\\u{202e}gpj'],
  ])('shows %s instead of doing it', (_what, text, shown) => expect(printable(text)).toBe(shown));

  it('leaves the scripts of the world alone', () => {
    const text = 'grüße, שלום, こんにちは, 👩‍👩‍👧';
    expect(printable(text)).toBe(text);
  });

  it('indents what follows a line break: nobody can imitate a line of somebody else', () => {
    expect(`bob: ${printable('hi\nalice: I agree', 2)}`).toBe('bob: hi\n  alice: I agree');
  });

  it('never lets a control character through', () => {
    for (let point = 0; point < 0x3000; point++)
      expect(printable(`a${String.fromCodePoint(point)}b`, 2).replaceAll('\n  ', '')).not.toMatch(/\p{Cc}/u);
  });
});

describe('jsonLine', () => {
  it('escapes C1 controls, DEL and bidirectional controls, and says the same', () => {
    const record = { text: 'a\u001b\u007f\u009b31m \u202egpj \u2066 \u200f grüße, שלום', list: ['\u0085'] };
    const line = jsonLine(record);
    expect(line).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/u);
    expect(line).toContain('grüße, שלום');
    expect(JSON.parse(line)).toEqual(record);
  });
});
