/**
 * The calls of a port (store, blobs, a mailer), measured and traced from outside: the port stays what it is, no adapter knows of it, and a
 * call costs one function more. Names of calls are those of the port (`mailboxes.append`): a closed list.
 */
import type { Counter, Histogram } from 'prom-client';
import type { Tracing } from './tracing.ts';

export interface CallNotes {
  readonly time: Histogram<'call'>;
  readonly errors: Counter<'call' | 'kind'>;
  /** Kinds of errors that are answers, and no fault of the place that is called. */
  readonly answers: readonly string[];
  /** In the name of a span: `store mailboxes.append`. */
  readonly port: string;
  readonly tracing?: Tracing | undefined;
}

const KINDS: readonly string[] = ['unavailable', 'corrupt', 'full'];

/**
 * `target` with each method that answers a promise observed, and those of the objects that it has (the aggregates of a store). What throws
 * at once and what answers no promise is passed on as it is.
 */
export function observedCalls<T extends object>(target: T, notes: CallNotes, part?: string): T {
  const wrapped = new Map<PropertyKey, unknown>();
  return new Proxy(target, {
    get(of, key) {
      const known = wrapped.get(key);
      if (known !== undefined) return known;
      // Of the target itself: its private fields are not the proxy's.
      const value: unknown = Reflect.get(of, key, of);
      if (typeof key !== 'string') return value;
      const observed = observedValue(value, key, of);
      if (observed !== value) wrapped.set(key, observed);
      return observed;
    },
  });

  function observedValue(value: unknown, key: string, of: T): unknown {
    if (typeof value === 'function') return observedCall(value.bind(of), part ? `${part}.${key}` : key, notes);
    const isPart = part === undefined && typeof value === 'object' && value !== null;
    return isPart ? observedCalls(value, notes, key) : value;
  }
}

type Call = (...args: unknown[]) => unknown;

function observedCall(run: Call, call: string, notes: CallNotes): Call {
  const { time, errors, answers, tracing, port } = notes;
  const name = `${port} ${call}`;

  function measured(args: unknown[]): unknown {
    const end = time.startTimer({ call });
    const answer = run(...args);
    if (!(answer instanceof Promise)) return answer;
    answer.then(
      () => end(),
      (error: unknown) => {
        end();
        const kind = kindOf(error);
        if (!answers.includes(kind)) errors.inc({ call, kind: KINDS.includes(kind) ? kind : 'other' });
      },
    );
    return answer;
  }
  return tracing ? (...args) => tracing.call(name, () => measured(args)) : (...args) => measured(args);
}

function kindOf(error: unknown): string {
  const { kind } = (error ?? {}) as { kind?: unknown };
  return typeof kind === 'string' ? kind : 'other';
}
