/**
 * Counters that all processes share, on Redis or Valkey. Each call is one script on one slot, so that what is charged together
 * is taken together, on a cluster too. Windows end by the server's clock, as keys that expire: a server that comes back empty
 * begins all windows anew.
 *
 * They fail open, down to what one process allows: while the server does not answer in time, each process counts for itself.
 */
import { Cluster, type Redis } from 'ioredis';
import type { Charge, Counters, Taking } from './counters.ts';
import { busErrorOf, COMMAND_MS, connectionOf, firstConnection, within, withSentinels } from './redis-connection.ts';
import { parseRedisUrl } from './redis-url.ts';

export interface RedisCountersOptions {
  readonly url: string;
  /** ms since 1970: of the windows that this process counts alone. */
  readonly now: () => number;
  /** What counts while the server does not answer. */
  readonly alone: Counters;
  /** No request waits longer than this for a server that hangs; half a second unless given. */
  readonly patienceMs?: number;
  /** Hears that this process counts alone, and that it does not any more. */
  readonly onShared?: (state: 'lost' | 'restored') => void;
}

const PATIENCE_MS = 500;
/** After a fault nobody waits for the server for so long: a hanging one costs one request in this time its patience. */
const PAUSE_MS = 1_000;
/** Lua numbers are doubles: nobody gets there. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/**
 * KEYS: of each charge. ARGV: what to do, then points, limit, window in ms, reserve, place of whom it is for (0: none) of each.
 * Answers the place of what is refused (0: nothing), then taken and ms left of each.
 */
const SCRIPT = `
local taken, answer, refused = {}, {}, 0
for i = 1, #KEYS do taken[i] = tonumber(redis.call('GET', KEYS[i]) or '0') end
for i = 1, #KEYS do
  local at = (i - 1) * 5 + 2
  local points, limit, window = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  if ARGV[1] == 'back' then
    if taken[i] > points then taken[i] = redis.call('DECRBY', KEYS[i], points)
    elseif taken[i] > 0 then redis.call('DEL', KEYS[i]); taken[i] = 0 end
  else
    local of = tonumber(ARGV[at + 4])
    if of > 0 and taken[of] > 0 then limit = limit - tonumber(ARGV[at + 3]) end
    if refused == 0 and taken[i] + points > limit then refused = i end
  end
end
answer[1] = refused
for i = 1, #KEYS do
  local at = (i - 1) * 5 + 2
  if ARGV[1] == 'take' and refused == 0 then
    if taken[i] == 0 then redis.call('SET', KEYS[i], '0', 'PX', ARGV[at + 2]) end
    taken[i] = redis.call('INCRBY', KEYS[i], ARGV[at])
  end
  local left = redis.call('PTTL', KEYS[i])
  answer[#answer + 1] = taken[i]
  answer[#answer + 1] = left >= 0 and left or tonumber(ARGV[at + 2])
end
return answer
`;

const CHECK: Charge = { counter: 'check', key: 'start', points: 1, limit: NO_LIMIT, windowMs: 1_000 };

type Deed = 'take' | 'look' | 'back';
type Scripted = (Redis | Cluster) & {
  charge(keys: number, ...args: readonly (string | number)[]): Promise<number[]>;
};

/** Connects. Rejects with a `BusError` of one line when nobody answers as the URL says. */
export async function openRedisCounters(options: RedisCountersOptions): Promise<Counters> {
  const place = await withSentinels(parseRedisUrl(options.url));
  const client = connectionOf(place, false);
  client.on('error', () => {});
  client.defineCommand('charge', { lua: SCRIPT });
  try {
    await firstConnection(client, place);
    // A cluster's client connects to a node with the first command to it: no limiter is to wait for that.
    if (client instanceof Cluster)
      await within(COMMAND_MS, Promise.all(client.nodes('master').map((node) => node.ping())));
    // Who may not count here is told now: it would count alone from the first request on.
    await (client as Scripted).charge(1, keyOf('check', CHECK), 'take', ...argumentsOf(CHECK));
  } catch (error) {
    client.disconnect();
    throw busErrorOf(error);
  }
  return new RedisCounters(client as Scripted, options);
}

class RedisCounters implements Counters {
  readonly reach = 'nodes';
  private pausedSince: number | undefined;
  private isLost = false;

  constructor(
    private readonly client: Scripted,
    private readonly options: RedisCountersOptions,
  ) {}

  async take(slot: string, charges: readonly Charge[]): Promise<Taking> {
    return (await this.ask('take', slot, charges)) ?? this.options.alone.take(slot, charges);
  }

  async look(slot: string, charges: readonly Charge[]): Promise<Taking> {
    return (await this.ask('look', slot, charges)) ?? this.options.alone.look(slot, charges);
  }

  async giveBack(slot: string, charges: readonly Charge[]): Promise<void> {
    if (!(await this.ask('back', slot, charges))) await this.options.alone.giveBack(slot, charges);
  }

  async close(): Promise<void> {
    this.client.disconnect();
    await this.options.alone.close();
  }

  /** Undefined when the server does not answer. */
  private async ask(deed: Deed, slot: string, charges: readonly Charge[]): Promise<Taking | undefined> {
    if (this.isPaused()) return undefined;
    try {
      const args = charges.flatMap(argumentsOf);
      const keys = charges.map((charge) => keyOf(slot, charge));
      const [refused = 0, ...numbers] = await within(
        this.options.patienceMs ?? PATIENCE_MS,
        this.client.charge(keys.length, ...keys, deed, ...args),
      );
      this.tell(false);
      return {
        refusedAt: refused === 0 ? undefined : refused - 1,
        standings: charges.map((_, i) => ({ taken: numbers[2 * i]!, leftMs: numbers[2 * i + 1]! })),
      };
    } catch {
      this.pausedSince = this.options.now();
      this.tell(true);
      return undefined;
    }
  }

  /** A clock that was set back makes no pause longer. */
  private isPaused(): boolean {
    if (this.pausedSince === undefined) return false;
    const since = this.options.now() - this.pausedSince;
    if (since >= 0 && since < PAUSE_MS) return true;
    this.pausedSince = undefined;
    return false;
  }

  private tell(isLost: boolean): void {
    if (isLost === this.isLost) return;
    this.isLost = isLost;
    this.options.onShared?.(isLost ? 'lost' : 'restored');
  }
}

/** What stands in braces says on which node of a cluster the key is: braces within it are escaped. */
function keyOf(slot: string, { counter, key }: Charge): string {
  return `sealwire:limit:{${encodeURIComponent(slot)}}:${counter}:${key}`;
}

function argumentsOf({ points, limit, windowMs, reserve }: Charge): number[] {
  return [points, Math.min(limit, NO_LIMIT), windowMs, reserve?.points ?? 0, reserve ? reserve.untakenAt + 1 : 0];
}
