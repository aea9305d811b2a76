/** Ports of the loopback that nobody has. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** `count` different ones. Held together and let go together, so that none is given twice. */
export async function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(probes.map((probe) => (probe.listening ? undefined : once(probe, 'listening'))));
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(
    probes.map((probe) => {
      probe.close();
      return once(probe, 'close');
    }),
  );
  return ports;
}
