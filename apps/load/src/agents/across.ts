/** The machines of one run, as the conductor sees them: workers go to agents in turn, and clocks are compared once more at the end. */
import type { LoadError } from '../errors.ts';
import type { Report } from '../measuring/report.ts';
import type { Hand, Saying } from '../running/share.ts';
import { RemoteAgent, type RemoteAgentTerms } from './remote-agent.ts';

export interface Across {
  /** Members of a conversation are at different workers. */
  readonly divided: boolean;
  /** Of the report. Rejects with a `LoadError` when one is gone. */
  agents(workers: number): Promise<Report['agents']>;
}

export class Agents implements Across {
  readonly divided: boolean;
  readonly #agents: RemoteAgent[] = [];

  private constructor(divided: boolean) {
    this.divided = divided;
  }

  /** Rejects with a `LoadError` when one of them is not there. */
  static async connect(
    addresses: readonly string[],
    { divided, ...terms }: Omit<RemoteAgentTerms, 'address'> & { readonly divided: boolean },
  ): Promise<Agents> {
    const agents = new Agents(divided);
    // Half of a load is another load: when one is lost, all end.
    const lost = (agent: RemoteAgent) => agents.#end(agent.gone);
    try {
      for (const address of addresses) agents.#agents.push(await RemoteAgent.connect({ ...terms, address }, lost));
      return agents;
    } catch (error) {
      agents.close();
      throw error;
    }
  }

  openHand(isForked: boolean, say: (saying: Saying) => void, index: number): Hand {
    const count = this.#agents.length;
    return this.#agents[index % count]!.openHand(Math.floor(index / count), isForked, say);
  }

  async agents(workers: number): Promise<Report['agents']> {
    const count = this.#agents.length;
    return Promise.all(
      this.#agents.map(async (agent, at) => {
        const driftMs = await agent.compareClocks();
        return { address: agent.address, workers: Math.ceil((workers - at) / count), ...agent.clock, driftMs };
      }),
    );
  }

  close(): void {
    this.#end(undefined);
  }

  #end(because: LoadError | undefined): void {
    for (const agent of this.#agents) agent.close(because);
  }
}
