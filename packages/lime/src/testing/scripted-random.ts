/** A script of exact answers in the place of randomness. */
import type { RandomBytes } from '@sealwire/crypto/port';

/** Gives out `answers` in order; asking for another length, or once too often, is an error. */
export function scriptedRandom(...answers: Uint8Array[]): RandomBytes & { readonly left: () => number } {
  const random = (length: number) => {
    const answer = answers.shift();
    if (answer?.length !== length) throw new Error(`the script has ${answer?.length} bytes, asked for ${length}`);
    return answer.slice();
  };
  return Object.assign(random, { left: () => answers.length });
}
