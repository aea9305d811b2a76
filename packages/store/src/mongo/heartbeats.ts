/**
 * Makes up for a fault of the driver (mongodb 7.8): a heartbeat that is written just after its socket broke waits for a `drain` that
 * never comes, and with it the only one who would find out that the server is back. Whoever waits for longer than a heartbeat can take
 * has the client connect anew. Found by a drill that killed the database's gateway (docs/operations/drill.md).
 */
import type { mongo } from 'mongoose';
import { pause } from './pause.ts';

const AGAIN_MS = 1_000;

/** `withinMs`: longer than any heartbeat that ends. The answer stops the watch. */
export function watchHeartbeats(client: mongo.MongoClient, withinMs: number): () => void {
  const under = new Map<string, NodeJS.Timeout>();
  let stopped = false;
  let reviving = false;

  const ended = ({ connectionId }: { readonly connectionId: string }) => {
    clearTimeout(under.get(connectionId));
    under.delete(connectionId);
  };
  const started = (event: { readonly connectionId: string }) => {
    ended(event);
    under.set(event.connectionId, setTimeout(revive, withinMs).unref());
  };
  const forget = () => {
    for (const connectionId of under.keys()) ended({ connectionId });
  };

  async function revive(): Promise<void> {
    if (stopped || reviving) return;
    reviving = true;
    await client.close().catch(() => {});
    forget();
    while (!stopped && !(await connects(client))) await pause(AGAIN_MS);
    reviving = false;
  }

  client.on('serverHeartbeatStarted', started);
  client.on('serverHeartbeatSucceeded', ended);
  client.on('serverHeartbeatFailed', ended);
  client.on('topologyClosed', forget);
  return () => {
    stopped = true;
    forget();
  };
}

async function connects(client: mongo.MongoClient): Promise<boolean> {
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  }
}
