/** Who is let in, by which clock, and what a connection bears: agents without a server. */
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { processRuntime, steadyNow } from '../running/process-runtime.ts';
import { Worker } from '../running/worker.ts';
import { type Agent, startAgent } from './agent.ts';
import { estimateOffset } from './clock.ts';
import { AGENT_FORMAT } from './handshake.ts';
import { RemoteAgent } from './remote-agent.ts';

const VERSION = '1.2.3';
const SECRET = 'a secret that all machines have';
const secret = new TextEncoder().encode(SECRET);

let agents: Agent[] = [];

afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.close()));
  agents = [];
});

async function agentOf(note: (text: string) => void = () => {}): Promise<Agent> {
  const openHand: Parameters<typeof startAgent>[0]['openHand'] = (_isForked, say) =>
    new Worker({ runtimeFrom: processRuntime, now: steadyNow, say });
  const terms = { host: '127.0.0.1', port: 0, secret, version: VERSION, now: steadyNow, openHand, note };
  const agent = await startAgent({ ...terms, runtime: processRuntime([]) });
  agents.push(agent);
  return agent;
}

const connect = (address: string, other: Partial<Parameters<typeof RemoteAgent.connect>[0]> = {}) =>
  RemoteAgent.connect(
    { address, secret, version: VERSION, runtime: processRuntime([]), now: steadyNow, ...other },
    () => {},
  );

describe('the clock of another machine', () => {
  it('is known to half of the quickest round trip, whichever way was slow', () => {
    for (const [there, back] of [
      [0.2, 0.2],
      [30, 0.1],
      [0.1, 30],
    ] as const) {
      const trip = (asked: number, out: number, home: number) => ({
        asked,
        answered: asked + out + home,
        there: asked + out - 5_000,
      });
      const trips = [trip(0, 80, 3), trip(100, there, back), trip(200, 90, 40)];
      const { offsetMs, errorMs } = estimateOffset(trips);
      expect(errorMs).toBeCloseTo((there + back) / 2);
      expect(Math.abs(offsetMs - 5_000)).toBeLessThanOrEqual(errorMs + 1e-9);
    }
  });
});

describe('an agent and its controller', () => {
  it('let in who has the secret and the same version, one at a time', async () => {
    const said: string[] = [];
    const { address } = await agentOf((text) => said.push(text));
    const first = await connect(address);
    await expect(connect(address)).rejects.toThrow('it serves another controller: wait');
    await expect(connect(address, { secret: new TextEncoder().encode('another secret, as long') })).rejects.toThrow(
      'it has another secret',
    );
    await expect(connect(address, { version: '1.2.4' })).rejects.toThrow('is version 1.2.3, this is 1.2.4');
    first.close();
    expect(said.filter((line) => line.includes('it has another secret'))).toHaveLength(1);
    expect(said.join('\n')).not.toContain(SECRET);
  });

  it('give nothing to who only says that it is an agent', async () => {
    const impostor = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(impostor, 'listening');
    const heard: string[] = [];
    impostor.on('connection', (socket: WebSocket) => {
      const nonce = 'A'.repeat(43);
      socket.send(JSON.stringify({ format: AGENT_FORMAT, version: VERSION, nonce }));
      socket.on('message', (data) => {
        heard.push(String(data));
        // It repeats what it was told.
        socket.send(JSON.stringify({ proof: (JSON.parse(String(data)) as { proof: string }).proof }));
      });
    });
    const { port } = impostor.address() as { port: number };
    await expect(connect(`127.0.0.1:${port}`)).rejects.toThrow('does not know the secret');
    expect(heard).toHaveLength(1);
    impostor.close();
  });

  it('end the connection at a frame that was changed on its way', async () => {
    const { address } = await agentOf();
    // Between both, a proxy of frames that changes one bit of a sealed one.
    const proxy = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(proxy, 'listening');
    proxy.on('connection', (near: WebSocket) => {
      const far = new WebSocket(`ws://${address}`);
      const early: [Buffer, boolean][] = [];
      let sealed = 0;
      const hand = (data: Buffer, isBinary: boolean) => {
        if (isBinary && ++sealed === 3) data[data.length - 1]! ^= 1;
        far.send(data, { binary: isBinary });
      };
      near.on('message', (data, isBinary) =>
        far.readyState === 1 ? hand(data as Buffer, isBinary) : early.push([data as Buffer, isBinary]),
      );
      far.on('message', (data, isBinary) => near.send(data as Buffer, { binary: isBinary }));
      far.on('close', () => near.close());
      near.on('close', () => far.close());
    });
    const { port } = proxy.address() as { port: number };
    await expect(connect(`127.0.0.1:${port}`)).rejects.toThrow('is gone');
    proxy.close();
    for (const client of proxy.clients) client.terminate();
  });
});
