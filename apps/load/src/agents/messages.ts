/** What a controller and its agents say to each other once they know each other. */
import * as z from 'zod';
import type { Answer, Order } from '../running/orders.ts';

const worker = z.int().min(0).max(999);

/**
 * To the agent. Orders and answers are of the same version of this program, which the handshake compares, and come from who has the secret:
 * their insides are taken as they are.
 */
export const ToAgent = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('clock') }),
  z.strictObject({ kind: z.literal('open'), worker, isForked: z.boolean() }),
  z.strictObject({ kind: z.literal('order'), worker, order: z.custom<Order>((value) => typeof value === 'object') }),
]);

export const ToController = z.discriminatedUnion('kind', [
  /** `at`: ms since 1970 by the agent's clock that never steps. */
  z.strictObject({ kind: z.literal('clock'), at: z.number() }),
  z.strictObject({ kind: z.literal('answer'), worker, answer: z.custom<Answer>((value) => typeof value === 'object') }),
]);

export type ToAgent = z.output<typeof ToAgent>;
export type ToController = z.output<typeof ToController>;
