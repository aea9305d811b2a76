/** The one exception filter of the Nest servers: whatever was thrown leaves as an RFC 9457 problem. */
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { problemOf } from '../http/problem.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';

interface Reply {
  readonly sent: boolean;
  code(status: number): Reply;
  headers(headers: Record<string, string>): Reply;
  send(body: string): unknown;
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: Log,
    private readonly metrics: Metrics,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const problem = problemOf(error);
    if (problem.code === 'internal') {
      this.metrics.unhandledErrors.inc({ where: 'http' });
      this.log.error('request-failed', { error });
    }
    const reply = host.switchToHttp().getResponse<Reply>();
    if (!reply.sent) reply.code(problem.status).headers(problem.headers()).send(problem.body());
  }
}
