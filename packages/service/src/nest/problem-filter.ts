/** The one exception filter of the Nest servers: whatever was thrown leaves as an RFC 9457 problem. */
import type { IncomingMessage } from 'node:http';
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { type FailureNotes, failureProblem } from '../http/failure.ts';
import { requestFields } from '../http/request-notes.ts';

/** Fastify's. */
interface Request {
  readonly method: string;
  readonly raw: IncomingMessage;
  /** `url`: the template of the route. */
  readonly routeOptions?: { readonly url?: string };
}

interface Reply {
  readonly sent: boolean;
  code(status: number): Reply;
  headers(headers: Record<string, string>): Reply;
  send(body: string): unknown;
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly notes: FailureNotes) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const { method, raw, routeOptions } = host.switchToHttp().getRequest<Request>();
    const problem = failureProblem(error, this.notes, 'http', {
      method,
      route: routeOptions?.url ?? '',
      ...requestFields(raw),
    });
    const reply = host.switchToHttp().getResponse<Reply>();
    if (!reply.sent) reply.code(problem.status).headers(problem.headers()).send(problem.body());
  }
}
