/** The loads of a comparison. */
import { LoadError } from '../errors.ts';

export const FIGURES = {
  cpu: { unit: 'µs', worse: 'more' },
  perSecond: { unit: '/s', worse: 'less' },
  p50: { unit: 'ms', worse: 'more' },
  p99: { unit: 'ms', worse: 'more' },
  memory: { unit: 'KiB', worse: 'more' },
} as const;

export type Figure = keyof typeof FIGURES;

interface Common {
  readonly name: string;
  /** A line for people. */
  readonly about: string;
  /** Of what CPU is counted. */
  readonly per: 'message' | 'delivery' | 'connection';
  /** The first one is what ratios are told of. */
  readonly figures: readonly Figure[];
}

export interface TalkShape extends Common {
  readonly kind: 'talk';
  readonly conversations: number;
  readonly readers: number;
  /** In each conversation; or messages a second of all together. */
  readonly inFlight?: number;
  readonly rate?: number;
}

export interface IdleShape extends Common {
  readonly kind: 'idle';
  /** Each round opens so many more. */
  readonly connections: number;
}

export type Shape = TalkShape | IdleShape;

export interface ShapeTerms {
  readonly pairs: number;
  readonly readers: number;
  readonly rate: number;
  readonly connections: number;
}

/** Of the open model's pairs and of bursts there are fewer: as many as talk at a time. */
const BURST_PAIRS = 20;
const BURST = 16;

const MAKE: Readonly<Record<string, (terms: ShapeTerms) => Shape>> = {
  sparse: ({ pairs }) => ({
    kind: 'talk',
    name: 'sparse',
    about: `${pairs} pairs, one message in flight in each`,
    per: 'message',
    figures: ['cpu', 'perSecond'],
    conversations: pairs,
    readers: 1,
    inFlight: 1,
  }),
  bursts: ({ pairs }) => ({
    kind: 'talk',
    name: 'bursts',
    about: `${Math.min(pairs, BURST_PAIRS)} pairs, ${BURST} messages in flight in each`,
    per: 'message',
    figures: ['cpu', 'perSecond'],
    conversations: Math.min(pairs, BURST_PAIRS),
    readers: 1,
    inFlight: BURST,
  }),
  'fan-out': ({ readers }) => ({
    kind: 'talk',
    name: 'fan-out',
    about: `one writer, ${readers} readers, one message in flight`,
    per: 'delivery',
    figures: ['cpu', 'perSecond'],
    conversations: 1,
    readers,
    inFlight: 1,
  }),
  rate: ({ pairs, rate }) => ({
    kind: 'talk',
    name: 'rate',
    about: `${pairs} pairs, ${rate} messages a second of all together, at random times; latency from the intended time`,
    per: 'message',
    figures: ['p99', 'p50', 'cpu'],
    conversations: pairs,
    readers: 1,
    rate,
  }),
  idle: ({ connections }) => ({
    kind: 'idle',
    name: 'idle',
    about: `${connections} more connections a round, which stay`,
    per: 'connection',
    figures: ['memory', 'cpu'],
    connections,
  }),
};

export const SHAPES = Object.keys(MAKE);

/** Throws `LoadError`. */
export function shapeOf(name: string, terms: ShapeTerms): Shape {
  const make = Object.hasOwn(MAKE, name) ? MAKE[name] : undefined;
  if (!make) throw new LoadError('usage', `no such load: "${name}"; there are ${SHAPES.join(', ')}`);
  return make(terms);
}

/** People that it takes. */
export function peopleOf(shape: Shape): number {
  return shape.kind === 'talk' ? shape.conversations * (shape.readers + 1) : 0;
}
