/** `sealwire-load agent`: lends this machine to a controller. */
import { once } from 'node:events';
import { Command, Option } from 'commander';
import { startAgent } from '../agents/agent.ts';
import type { Context } from '../context.ts';
import { type HostAndPort, hostAndPort, secretIn, secretOption } from './agent-options.ts';

interface AgentOptions {
  readonly listen: HostAndPort;
  readonly secretFile: string;
  readonly once?: boolean;
}

export function agentCommand({ surroundings }: Context): Command {
  return new Command('agent')
    .description('lends this machine to a controller, which says what load it makes')
    .addOption(
      new Option('--listen <host:port>', 'where; port 0: a free one')
        .argParser(hostAndPort)
        .default(hostAndPort('127.0.0.1:7300'), '127.0.0.1:7300'),
    )
    .addOption(secretOption())
    .option('--once', 'end when the first controller is gone')
    .action(async ({ listen, secretFile, once: isOnce }: AgentOptions) => {
      const { stdout, stderr, interrupted } = surroundings;
      const done = new AbortController();
      const agent = await startAgent({
        ...surroundings,
        ...listen,
        secret: secretIn(secretFile),
        openHand: (isForked, say) => surroundings.openHand(isForked, say, 0),
        note: (text) => stderr.write(`${text}\n`),
        served: () => isOnce && done.abort(),
      });
      stdout.write(`${agent.address}\n`);
      const end = AbortSignal.any([interrupted, done.signal]);
      if (!end.aborted) await once(end, 'abort');
      await agent.close();
    });
}
