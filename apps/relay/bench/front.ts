/**
 * What nginx in front of the relays costs (docs/adr/0036): the same relay, asked directly and through nginx with the configuration that operators
 * get, in turns. CPU microseconds a message that was delivered and accepted, of the relay and of nginx.
 *   node --conditions=@sealwire/source --import ../../infra/scripts/swc-loader.mjs bench/front.ts
 */
import { MeasuredServer } from './measured-server.ts';
import { median } from './measurements.ts';
import { startNginx } from './nginx.ts';
import { type Load, openPairs } from './pairs.ts';

const SHAPES = { sparse: { pairs: 200, inFlight: 1 }, dense: { pairs: 20, inFlight: 16 } };
const ROUNDS = 12;
const WARM_UP_ROUNDS = 4;
const ROUND_MS = 600;

interface Costs {
  readonly relay: number[];
  readonly nginx: number[];
}

const server = await MeasuredServer.start('ours');
const front = await startNginx([server.port]);
for (const [name, { pairs, inFlight }] of Object.entries(SHAPES)) {
  const devicesOf = async (prefix: string) =>
    (await server.ask({ ask: 'devices', prefix: name + prefix, count: 2 * pairs })).devices ?? [];
  const loads = {
    direct: await openPairs(server.port, 'ours', pairs, inFlight, await devicesOf('direct')),
    through: await openPairs(front.port, 'ours', pairs, inFlight, await devicesOf('through')),
  };
  const costs: Record<keyof typeof loads, Costs> = {
    direct: { relay: [], nginx: [] },
    through: { relay: [], nginx: [] },
  };
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++)
    for (const way of ['direct', 'through'] as const) {
      const { relay, nginx } = await oneRound(loads[way]);
      if (round < WARM_UP_ROUNDS) continue;
      costs[way].relay.push(relay);
      costs[way].nginx.push(nginx);
    }
  for (const way of ['direct', 'through'] as const)
    console.log(
      `${name}, ${way}: relay ${median(costs[way].relay).toFixed(1)} µs, nginx ${median(costs[way].nginx).toFixed(1)} µs a message`,
    );
  await Promise.all([loads.direct.end(), loads.through.end()]);
}
await front.end();
await server.end();

async function oneRound(load: Load): Promise<{ relay: number; nginx: number }> {
  load.resume();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = { relay: await server.cpuMicros(), nginx: front.cpuMicros(), messages: load.messages };
  await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  const messages = load.messages - before.messages;
  const relay = ((await server.cpuMicros()) - before.relay) / messages;
  const nginx = (front.cpuMicros() - before.nginx) / messages;
  await load.pause();
  return { relay, nginx };
}
