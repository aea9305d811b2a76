/** Comparisons of four characters while `listen` or `chat` runs: what is shown of them, and what is said to them line by line. */
import type { Client } from '@sealwire/client/client';
import type { AccountAddress } from '@sealwire/wire/ids';
import { comparisonRecord, comparisonText } from './comparison.ts';
import type { Output } from './output.ts';

const WORDS = ['verify', 'same', 'different', 'cancel'] as const;
export type ComparisonWord = (typeof WORDS)[number];

export function isComparisonWord(word: string): word is ComparisonWord {
  return WORDS.includes(word as ComparisonWord);
}

/** From now on; with `--json` a record for each change. */
export function showComparisons(client: Client, output: Output): void {
  client.verification.onChange((state) => {
    const text = comparisonText(state, client.address);
    if (output.json) void output.data(comparisonRecord(state), text ?? '');
    else if (text !== undefined) output.note(text);
  });
}

/** Throws `ClientError`. */
export async function sayComparison(client: Client, to: AccountAddress, word: ComparisonWord): Promise<void> {
  const { verification } = client;
  const current = verification.list().find(({ peer }) => peer === to);
  if (word === 'verify' && current?.step === 'offered') verification.accept(current.id);
  else if (word === 'verify') await verification.request(to);
  else if (word === 'same') await verification.confirm(current?.id ?? '');
  else if (word === 'different') await verification.different(current?.id ?? '');
  else await verification.cancel(current?.id ?? '');
}
