/** Plays a scenario against a server, and says where it went another way than is written. */
import { setTimeout as pause } from 'node:timers/promises';
import { ClientError } from '@sealwire/client/errors';
import { Cast, type World } from './cast.ts';
import { DONE, parseScript, type Step } from './script.ts';
import { VERBS } from './verbs.ts';

/** Resolves when everything has come as it is written, and nothing else. Rejects with the line that did not, and what came in its place. */
export async function play(script: string, world: World, verbs = VERBS): Promise<void> {
  const steps = parseScript(script);
  const cast = new Cast(world);
  try {
    for (const step of steps) await take(cast, step, verbs);
    const left = await cast.leftOver();
    if (left.length > 0) throw new Error(`nobody has written of:\n${left.join('\n')}`);
  } finally {
    await cast.close();
  }
}

async function take(cast: Cast, step: Step, verbs: typeof VERBS): Promise<void> {
  const isDeed = step.kind === 'does';
  const wanted = isDeed ? step.outcome : step.words;
  const came = isDeed ? await outcomeOf(cast, step, verbs) : await lineFor(cast, step);
  if (came !== wanted) throw new Error(`line ${step.line}: ${step.text}\ncame: ${came ?? 'nothing'}`);
}

async function outcomeOf(cast: Cast, step: Step, verbs: typeof VERBS): Promise<string> {
  const { line, actor, words } = step;
  const [name, ...rest] = words.split(/ +/);
  const verb = verbs[name!];
  if (!verb) throw new Error(`line ${line}: nobody can ${name}`);
  try {
    const answer = await verb(cast, actor, ...rest);
    return typeof answer === 'string' ? answer : DONE;
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (error.code !== 'too-many-requests' || error.retryAfterMs === undefined) return `refused ${error.code}`;
    // Of a deployment that limits accounts and codes by address.
    await pause(error.retryAfterMs);
    return outcomeOf(cast, step, verbs);
  }
}

function lineFor(cast: Cast, { actor, kind }: Step): Promise<string | undefined> {
  const { shown, told } = cast.member(actor);
  return cast.next(kind === 'shown' ? shown : told);
}
