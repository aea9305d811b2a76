/** The end of a node: its sockets are closed in a stream, not in a wave, with a code that brings the clients back elsewhere (case K04). */
import { closeCodeOf } from '@sealwire/wire/errors';
import type { Session } from '../sockets/session.ts';
import type { Timers } from './timers.ts';

const EVERY_MS = 100;

/** Resolves when every connection has been told to leave. */
export async function drain(connections: ReadonlySet<Session>, perSecond: number, timers: Timers): Promise<void> {
  const batch = Math.max(1, Math.round((perSecond * EVERY_MS) / 1_000));
  const draining = closeCodeOf('draining');
  for (;;) {
    const open = [...connections].filter(({ closed }) => !closed);
    for (const connection of open.slice(0, batch)) connection.close(draining);
    if (open.length <= batch) return;
    await new Promise<void>((resolve) => {
      timers.after(EVERY_MS, resolve);
    });
  }
}
