/** What a worker elsewhere is told, and what it answers: over the channel of a process, or from an agent's machine. */
import type { Records } from '../oracle/across.ts';
import type { Verdict } from '../oracle/oracle.ts';
import type { Hand, Saying, Share, Strain } from './share.ts';

export type Order =
  | { readonly order: 'prepare'; readonly share: Share }
  | { readonly order: 'play'; readonly from: number; readonly until: number }
  | { readonly order: 'records' }
  | { readonly order: 'finish' }
  | { readonly order: 'stop' };

export type Answer =
  | Saying
  | { readonly say: 'done'; readonly result?: Strain | Records | Verdict | undefined }
  | { readonly say: 'failed'; readonly message: string };

/** Resolves with what the order asks for. Rejects as the `Hand` does. */
export async function perform(
  hand: Hand,
  order: Exclude<Order, { readonly order: 'stop' }>,
): Promise<Strain | Records | Verdict | undefined> {
  switch (order.order) {
    case 'prepare':
      await hand.prepare(order.share);
      return undefined;
    case 'play':
      return hand.play(order.from, order.until);
    case 'records':
      return hand.records();
    case 'finish':
      return hand.finish();
  }
}
