/** The caller rule of a route: `@UseGuards(DeviceGuard)` demands a token of a device that exists, `@Caller()` is that device. */
import type { IncomingMessage } from 'node:http';
import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
  type PipeTransform,
} from '@nestjs/common';
import type { BearerAuthenticator } from '@sealwire/access/bearer';
import { Problem } from '@sealwire/service/problem';
import { noteDevice } from '@sealwire/service/request-notes';
import { type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import { AUTHENTICATE } from './ports.ts';

interface CallerRequest {
  readonly raw: IncomingMessage;
  readonly headers: { readonly authorization?: string };
  caller?: DeviceId;
}

@Injectable()
export class DeviceGuard implements CanActivate {
  constructor(@Inject(AUTHENTICATE) private readonly authenticate: BearerAuthenticator) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<CallerRequest>();
    request.caller = await this.authenticate(request.headers.authorization);
    noteDevice(request.raw, request.caller);
    return true;
  }
}

export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): DeviceId => {
  const { caller } = context.switchToHttp().getRequest<CallerRequest>();
  if (!caller) throw new Error('a route with @Caller() needs @UseGuards(DeviceGuard)');
  return caller;
});

/** A device id in a path: what is none is as unknown as any other. */
export class DeviceIdPipe implements PipeTransform<string, DeviceId> {
  transform(text: string): DeviceId {
    try {
      return parseDeviceId(text);
    } catch (error) {
      if (error instanceof WireError) throw new Problem('not-found', {}, { cause: error });
      throw error;
    }
  }
}
