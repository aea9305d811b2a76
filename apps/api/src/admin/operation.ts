/** What an administrator may order: a table of operations, each with its path, the role that it needs and the form of its body. */
import type { z } from 'zod';

/** In the order of what they may do: each may do what those before it may. */
export const ADMIN_ROLES = ['viewer', 'operator', 'owner'] as const;
export type AdminRole = (typeof ADMIN_ROLES)[number];

/** `machine`: over the socket alone, whatever token is shown. */
export type Needed = AdminRole | 'machine';

/** Who ordered it, as the trail has it. */
export interface Actor {
  readonly name: string;
  readonly role: AdminRole | 'machine';
}

export interface AdminOperation {
  readonly path: string;
  /** For the trail and the documents: `accounts disable`. */
  readonly name: string;
  readonly needs: Needed;
  /** Whether it changes anything: then the trail says so before it begins. */
  readonly changes: boolean;
  readonly body: z.ZodType;
  /** The account, invitation, domain or token that it is about. */
  about(body: never): string | undefined;
  run(body: never, actor: Actor): Promise<object>;
}

/** An operation whose `run` sees the parsed body. */
export function operation<Body extends z.ZodType>(
  name: string,
  terms: {
    readonly needs: Needed;
    readonly changes?: boolean;
    readonly body: Body;
    readonly path?: string;
    about?(body: z.output<Body>): string | undefined;
    run(body: z.output<Body>, actor: Actor): Promise<object>;
  },
): AdminOperation {
  const {
    needs,
    changes = false,
    body,
    path = `/v1/admin/${name.replace(' ', '/')}`,
    about = () => undefined,
    run,
  } = terms;
  return { name, path, needs, changes, body, about, run };
}

/** Whether `role` may do what `needed` may. */
export function mayDo(role: Actor['role'], needed: Needed): boolean {
  if (role === 'machine') return true;
  return needed !== 'machine' && ADMIN_ROLES.indexOf(role) >= ADMIN_ROLES.indexOf(needed);
}
