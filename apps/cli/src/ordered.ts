/** An order (orders.ts), carried out by this process, or by `chat` or `listen` where one of them has the keys. */
import { type ProfileContext, withClient } from './context.ts';
import { CliError, endingOf } from './exit-codes.ts';
import { carryOut, type Order, type Report } from './orders.ts';
import { answersTo } from './profile-socket.ts';

/** Answers the outcome, after what `tell` was told. Throws `CliError`, `ClientError`. */
export async function ordered<Outcome>(
  context: ProfileContext,
  order: Order,
  tell: (report: Report) => void | Promise<void> = () => {},
): Promise<Outcome> {
  const { profile, surroundings } = context;
  const signal = surroundings.interrupted;
  const say = async (report: Report) => tell(report);
  try {
    return (await withClient(context, (client) => carryOut(client, order, say, signal))) as Outcome;
  } catch (error) {
    if (endingOf(error) !== 'locked') throw error;
    const answers = await answersTo(profile, order, signal);
    if (!answers) throw error;
    for await (const answer of answers) {
      if ('outcome' in answer) return answer.outcome as Outcome;
      await tell(answer);
    }
    throw new CliError('failure', 'the process that has the keys ended meanwhile');
  }
}
