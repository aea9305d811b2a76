/** The process of a `ForkedWorker`: takes orders over Node's channel, and ends with it. */
import { errorText } from '../showing/error-text.ts';
import { type Answer, type Order, perform } from './orders.ts';
import { processRuntime, steadyNow } from './process-runtime.ts';
import { Worker } from './worker.ts';

const say = (answer: Answer) => void process.send?.(answer);
const worker = new Worker({ runtimeFrom: processRuntime, now: steadyNow, say });

async function obey(order: Exclude<Order, { order: 'stop' }>): Promise<Answer> {
  try {
    return { say: 'done', result: await perform(worker, order) };
  } catch (error) {
    return { say: 'failed', message: errorText(error) };
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
process.on('message', (order: Order) => {
  if (order.order === 'stop') worker.stop();
  else void obey(order).then(say);
});
process.on('disconnect', () => process.exit(0));
