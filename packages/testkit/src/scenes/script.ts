/**
 * A scenario as it is written (docs/testing.md): what people do, one step a line, and what each of their applications is shown.
 *
 *     # why
 *     alice > say bob hello          alice does this; nothing else happens until the server has it
 *     carol > say trio hi => refused not-a-member
 *     bob < alice: hello             bob's application is shown this next, and nothing before it
 *     alice ! devices +tablet        alice is told this next, beside her messages
 *
 * `alice` is the first device of an account, `alice/tablet` another one.
 */

export interface Step {
  /** In the file, from 1. */
  readonly line: number;
  readonly text: string;
  readonly actor: string;
  readonly kind: 'does' | 'shown' | 'told';
  /** What is done, or shown. */
  readonly words: string;
  /** What comes of it; of what is done alone. */
  readonly outcome: string;
}

/** Of a step that has no answer and meets no error. */
export const DONE = 'done';

const STEP = /^([a-z]+(?:\/[a-z]+)?) ([><!]) (.+)$/;
const KINDS = { '>': 'does', '<': 'shown', '!': 'told' } as const;

/** Throws with the line that is none. */
export function parseScript(text: string): Step[] {
  return text.split('\n').flatMap((whole, at) => {
    const written = whole.trim();
    if (written === '' || written.startsWith('#')) return [];
    const [, actor, mark, said] = STEP.exec(written) ?? [];
    if (!actor || !said) throw new Error(`line ${at + 1} is no step: ${written}`);
    const kind = KINDS[mark as keyof typeof KINDS];
    const [words, outcome] = kind === 'does' ? said.split(' => ') : [said];
    return [{ line: at + 1, text: written, actor, kind, words: words!, outcome: outcome ?? DONE }];
  });
}
