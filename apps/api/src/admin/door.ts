/**
 * The administrator's door of the API (docs/adr/0063-administration.md): every order comes by here, whether over the socket of the machine
 * or over the network. Who is it, may they, is the body one, and what does the trail say: then it is carried out.
 */
import type { AdminCaller, AdminCommands } from '@sealwire/service/http-door';
import { Problem, problemOf } from '@sealwire/service/problem';
import { type AccountsDeps, accountOperations } from './accounts.ts';
import { domainOperations } from './domains.ts';
import { invitationOperations } from './invitations.ts';
import { maintenanceOperations } from './maintenance.ts';
import { noticeOperations } from './notices.ts';
import { type Actor, type AdminOperation, mayDo } from './operation.ts';
import { type SessionsDeps, sessionOperations } from './sessions.ts';
import { statisticsOperations } from './statistics.ts';
import { tokenActor, tokenOperations } from './tokens.ts';
import { newOrder, trailOperations, writeTrail } from './trail.ts';

export interface AdminDoorDeps extends AccountsDeps, SessionsDeps {}

const MACHINE: Actor = { name: 'machine', role: 'machine' };

export function adminOperations(deps: AdminDoorDeps): readonly AdminOperation[] {
  return [
    ...accountOperations(deps),
    ...invitationOperations(deps),
    ...sessionOperations(deps),
    ...noticeOperations(deps),
    ...domainOperations(deps),
    ...maintenanceOperations(deps),
    ...statisticsOperations(deps),
    ...trailOperations(deps),
    ...tokenOperations(deps),
  ];
}

export function adminCommands(deps: AdminDoorDeps): AdminCommands {
  const entries = adminOperations(deps).map((one) => [
    one.path,
    (body: unknown, caller: AdminCaller) => carryOut(deps, one, body, caller),
  ]);
  return Object.fromEntries(entries) as AdminCommands;
}

async function carryOut(
  deps: AdminDoorDeps,
  { name: what, needs, changes, body: form, about, run }: AdminOperation,
  body: unknown,
  caller: AdminCaller,
): Promise<object> {
  const actor = caller.via === 'socket' ? MACHINE : await actorOf(deps, caller.authorization);
  const order = newOrder(deps.random);
  const line = { order, who: actor.name, role: actor.role, what };
  if (!mayDo(actor.role, needs)) {
    await writeTrail(deps, { ...line, outcome: 'refused', code: 'forbidden' });
    throw new Problem('forbidden', {
      detail: needs === 'machine' ? 'only on the machine itself, over its socket' : `this takes the role ${needs}`,
    });
  }
  const parsed = form.parse(body) as never;
  const whom = about(parsed);
  const told = { ...line, ...(whom !== undefined && { about: whom }) };
  if (changes) await writeTrail(deps, { ...told, outcome: 'begun' });
  let answer: object;
  try {
    answer = await run(parsed, actor);
  } catch (error) {
    await tell(deps, { ...told, outcome: 'failed', code: problemOf(error).code });
    throw error;
  }
  // What changed, changed: who asked is told so. What was read is not handed out without a trace.
  if (changes) await tell(deps, { ...told, outcome: 'done' });
  else await writeTrail(deps, { ...told, outcome: 'done' });
  return answer;
}

async function actorOf(deps: AdminDoorDeps, authorization: string | undefined): Promise<Actor> {
  try {
    return await tokenActor(deps, authorization);
  } catch (error) {
    // No line of the trail: anybody who reaches the port could fill it.
    if (error instanceof Problem) deps.log.warn('admin-token-refused', { code: error.code });
    throw error;
  }
}

/** `begun` is there: a store that does not take what became of it changes no answer. */
async function tell(deps: AdminDoorDeps, line: Parameters<typeof writeTrail>[1]): Promise<void> {
  await writeTrail(deps, line).catch((error) => deps.log.error('audit-trail-failed', { request: line.order, error }));
}
