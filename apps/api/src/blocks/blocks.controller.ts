/** `/v1/blocks` */
import {
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  type PipeTransform,
  Put,
  Res,
  UseGuards,
} from '@nestjs/common';
import { Problem } from '@sealwire/service/problem';
import type { HeaderSink } from '@sealwire/service/rate-limit';
import { BlocksAnswer } from '@sealwire/wire/http';
import { type AccountAddress, type DeviceId, parseAccountAddress } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import { z } from 'zod';
import { Caller, DeviceGuard } from '../caller.ts';
import type { ContactService } from '../contacts/contact-service.ts';
import type { ApiLimiters } from '../limiters.ts';
import { CONTACTS, LIMITERS } from '../ports.ts';

/** An address in a path. */
class AddressPipe implements PipeTransform<string, AccountAddress> {
  transform(text: string): AccountAddress {
    try {
      return parseAccountAddress(text);
    } catch (error) {
      if (error instanceof WireError) throw new Problem('not-found', {}, { cause: error });
      throw error;
    }
  }
}

@Controller('v1/blocks')
@UseGuards(DeviceGuard)
export class BlocksController {
  constructor(
    @Inject(CONTACTS) private readonly contacts: ContactService,
    @Inject(LIMITERS) private readonly limiters: ApiLimiters,
  ) {}

  @Get()
  async list(@Caller() caller: DeviceId): Promise<z.input<typeof BlocksAnswer>> {
    const { blocked } = await this.contacts.rules(caller);
    return z.encode(BlocksAnswer, { blocked: [...blocked] });
  }

  @Put(':address')
  @HttpCode(204)
  async block(
    @Caller() caller: DeviceId,
    @Param('address', AddressPipe) address: AccountAddress,
    @Res({ passthrough: true }) reply: HeaderSink,
  ): Promise<void> {
    await this.limiters.contactChange(caller, reply);
    await this.contacts.block(caller, address);
  }

  @Delete(':address')
  @HttpCode(204)
  async unblock(
    @Caller() caller: DeviceId,
    @Param('address', AddressPipe) address: AccountAddress,
    @Res({ passthrough: true }) reply: HeaderSink,
  ): Promise<void> {
    await this.limiters.contactChange(caller, reply);
    await this.contacts.unblock(caller, address);
  }
}
