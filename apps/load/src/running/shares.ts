/** Divides a phase among workers, and devices among its activities: a conversation stays whole in one worker, which so has one clock for it. */
import { parseDeviceId } from '@sealwire/wire/ids';
import { LoadError } from '../errors.ts';
import { type Elsewhere, type SdkIdentity, type WrittenIdentity, writeIdentity } from '../identities/identity.ts';
import type { Need, Provided } from '../identities/provide.ts';
import { type Activity, type Phase, shareOf } from '../plan.ts';
import type { Part } from './share.ts';

/** Of all activities of a phase together; of several phases the most of each, since they follow each other. */
export function needOf(phases: readonly Phase[]): Need {
  const needs = phases.map(({ activities }) =>
    activities
      .map(needOfActivity)
      .reduce((a, b) => ({ people: a.people + b.people, idle: a.idle + b.idle, sdk: a.sdk + b.sdk })),
  );
  const most = (of: (need: Need) => number) => Math.max(...needs.map(of));
  return { people: most(({ people }) => people), idle: most(({ idle }) => idle), sdk: most(({ sdk }) => sdk) };
}

function needOfActivity(activity: Activity): Need {
  switch (activity.kind) {
    case 'chat':
    case 'group': {
      const { groups, members } = conversationsOf(activity);
      const people = groups * members;
      return activity.crypto === 'full' ? { people: 0, idle: 0, sdk: people } : { people, idle: 0, sdk: 0 };
    }
    case 'connect':
    case 'storm':
      return { people: 0, idle: activity.devices, sdk: 0 };
    case 'keys':
    case 'files':
      return { people: activity.devices, idle: 0, sdk: 0 };
  }
}

function conversationsOf(activity: Extract<Activity, { kind: 'chat' | 'group' }>): { groups: number; members: number } {
  return activity.kind === 'chat' ? { groups: activity.pairs, members: 2 } : activity;
}

/** Each worker's parts of a phase. `isDivided`: members of a conversation are at different workers, where there are several. */
export function partsOf(phase: Phase, provided: Omit<Provided, 'made'>, workers: number, isDivided = false): Part[][] {
  const people = provided.people.map(writeIdentity);
  const idle = provided.idle.map(writeIdentity);
  const sdk = [...provided.sdk];
  const parts: Part[][] = Array.from({ length: workers }, () => []);
  for (const [number, activity] of phase.activities.entries()) {
    switch (activity.kind) {
      case 'chat':
      case 'group': {
        const { groups, members } = conversationsOf(activity);
        const { rate, inFlight, think, size, crypto } = activity;
        if (isDivided) {
          const all = Array.from({ length: groups }, () => people.splice(0, members));
          for (const [worker, own] of dividedAmong(all, workers).entries())
            if (own.writers > 0)
              parts[worker]!.push({
                kind: 'talk',
                groups: own.groups,
                sdkGroups: [],
                across: number,
                rate: rate === undefined ? undefined : (rate * own.writers) / (groups * members),
                inFlight,
                think,
                size,
                crypto,
              });
          break;
        }
        for (let worker = 0; worker < workers; worker++) {
          const own = shareOf(groups, worker, workers);
          if (own === 0) continue;
          const take = <Some>(from: Some[]) => Array.from({ length: own }, () => from.splice(0, members));
          parts[worker]!.push({
            kind: 'talk',
            groups: crypto === 'full' ? [] : take(people),
            sdkGroups: crypto === 'full' ? (take(sdk) as SdkIdentity[][]) : [],
            // In the measure of the conversations that it has.
            rate: rate === undefined ? undefined : (rate * own) / groups,
            inFlight,
            think,
            size,
            crypto,
          });
        }
        break;
      }
      case 'connect':
      case 'storm':
        for (let worker = 0; worker < workers; worker++) {
          const devices = idle.splice(0, shareOf(activity.devices, worker, workers));
          if (devices.length > 0) parts[worker]!.push({ ...activity, devices });
        }
        break;
      case 'keys':
      case 'files': {
        // What asks needs no more processes than there are others to ask for.
        const takers = Math.max(1, Math.min(workers, Math.floor(activity.devices / 2)));
        for (let worker = 0; worker < takers; worker++) {
          const own = shareOf(activity.devices, worker, takers);
          parts[worker]!.push({
            ...activity,
            devices: people.splice(0, own),
            rate: (activity.rate * own) / activity.devices,
          });
        }
      }
    }
  }
  if (parts.every((own) => own.length === 0)) throw new LoadError('usage', 'there is nothing to do in this phase');
  return parts;
}

/** Member `i` of conversation `g` is at worker `g + i`: each worker knows all conversations, and has the keys of its own members alone. */
function dividedAmong(
  all: readonly (readonly WrittenIdentity[])[],
  workers: number,
): { readonly groups: (WrittenIdentity | Elsewhere)[][]; readonly writers: number }[] {
  return Array.from({ length: workers }, (_, worker) => {
    const isHere = (group: number, member: number) => (group + member) % workers === worker;
    const groups = all.map((members, group) =>
      members.map((identity, member): WrittenIdentity | Elsewhere =>
        isHere(group, member) ? identity : { id: parseDeviceId(identity.id), elsewhere: true },
      ),
    );
    return { groups, writers: groups.flat().filter((one) => !('elsewhere' in one)).length };
  });
}

/** More workers would have nothing to do: a conversation is at one of them, unless `isDivided`. */
export function mostWorkers(phases: readonly Phase[], isDivided = false): number {
  const parts = phases.flatMap(({ activities }) =>
    activities.map((activity) => {
      if (activity.kind !== 'chat' && activity.kind !== 'group') return activity.devices;
      const { groups, members } = conversationsOf(activity);
      return isDivided ? groups * members : groups;
    }),
  );
  return Math.max(1, ...parts);
}
