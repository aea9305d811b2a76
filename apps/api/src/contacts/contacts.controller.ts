/** `/v1/contacts` */
import { Body, Controller, Get, HttpCode, Inject, Put, Res, UseGuards } from '@nestjs/common';
import type { HeaderSink } from '@sealwire/service/rate-limit';
import { ContactPolicyBody, ContactsAnswer, ContactsBody } from '@sealwire/wire/http';
import type { DeviceId } from '@sealwire/wire/ids';
import { z } from 'zod';
import { Caller, DeviceGuard } from '../caller.ts';
import type { ApiLimiters } from '../limiters.ts';
import { CONTACTS, LIMITERS } from '../ports.ts';
import type { ContactService } from './contact-service.ts';

@Controller('v1/contacts')
@UseGuards(DeviceGuard)
export class ContactsController {
  constructor(
    @Inject(CONTACTS) private readonly contacts: ContactService,
    @Inject(LIMITERS) private readonly limiters: ApiLimiters,
  ) {}

  @Get()
  async show(@Caller() caller: DeviceId): Promise<z.input<typeof ContactsAnswer>> {
    const record = await this.contacts.list(caller);
    return z.encode(ContactsAnswer, record ? { version: record.version, list: record.bytes } : { version: 0 });
  }

  @Put()
  @HttpCode(204)
  async replace(
    @Caller() caller: DeviceId,
    @Body({ schema: ContactsBody }) body: z.output<typeof ContactsBody>,
    @Res({ passthrough: true }) reply: HeaderSink,
  ): Promise<void> {
    await this.limiters.contactChange(caller, reply);
    await this.contacts.replaceList(caller, body);
  }

  @Get('policy')
  async policy(@Caller() caller: DeviceId): Promise<z.input<typeof ContactPolicyBody>> {
    const { listVersion: version, policy, salt, allowed } = await this.contacts.rules(caller);
    return z.encode(ContactPolicyBody, { version, policy, salt, allowed });
  }

  @Put('policy')
  @HttpCode(204)
  async setPolicy(
    @Caller() caller: DeviceId,
    @Body({ schema: ContactPolicyBody }) body: z.output<typeof ContactPolicyBody>,
    @Res({ passthrough: true }) reply: HeaderSink,
  ): Promise<void> {
    await this.limiters.contactChange(caller, reply);
    await this.contacts.setPolicy(caller, body);
  }
}
