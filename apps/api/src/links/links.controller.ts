/** `/v1/links` */
import type { IncomingMessage } from 'node:http';
import {
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  Param,
  type PipeTransform,
  Post,
  Put,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { Problem } from '@sealwire/service/problem';
import type { HeaderSink } from '@sealwire/service/rate-limit';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { type LinkAnswer, type LinkMessageAnswer, LinkMessageBody } from '@sealwire/wire/http';
import type { DeviceId } from '@sealwire/wire/ids';
import { LINK_ID_BYTES, LINK_SLOTS, type LinkSlot, NEW_DEVICE_SLOTS, OLD_DEVICE_SLOTS } from '@sealwire/wire/linking';
import type { z } from 'zod';
import { Caller, DeviceGuard } from '../caller.ts';
import type { ApiLimiters } from '../limiters.ts';
import { LIMITERS, LINKS } from '../ports.ts';
import type { LinkChannels } from './link-channels.ts';

/** What is no id is as unknown as any other. */
class LinkIdPipe implements PipeTransform<string, Uint8Array> {
  transform(text: string): Uint8Array {
    try {
      const id = decodeBase64url(text);
      if (id.length === LINK_ID_BYTES) return id;
    } catch {}
    throw new Problem('not-found');
  }
}

class SlotPipe implements PipeTransform<string, LinkSlot> {
  constructor(private readonly slots: readonly LinkSlot[]) {}

  transform(text: string): LinkSlot {
    const slot = this.slots.find((each) => String(each) === text);
    if (slot === undefined) throw new Problem('not-found');
    return slot;
  }
}

@Controller('v1/links')
export class LinksController {
  constructor(
    @Inject(LINKS) private readonly links: LinkChannels,
    @Inject(LIMITERS) private readonly limiters: ApiLimiters,
  ) {}

  @Post()
  async open(
    @Req() request: { raw: IncomingMessage },
    @Res({ passthrough: true }) reply: HeaderSink,
  ): Promise<z.input<typeof LinkAnswer>> {
    await this.limiters.link(request.raw, reply);
    const { id, expiresAt } = this.links.open();
    return { id: encodeBase64url(id), expiresAt };
  }

  @Put(':id/old/:slot')
  @UseGuards(DeviceGuard)
  @HttpCode(204)
  async leave(
    @Caller() caller: DeviceId,
    @Param('id', new LinkIdPipe()) id: Uint8Array,
    @Param('slot', new SlotPipe(OLD_DEVICE_SLOTS)) slot: LinkSlot,
    @Body({ schema: LinkMessageBody }) { message }: z.output<typeof LinkMessageBody>,
    @Res({ passthrough: true }) reply: HeaderSink,
  ): Promise<void> {
    if (slot === LINK_SLOTS.commitment) await this.limiters.linkTaken(caller, reply);
    this.links.leave(id, slot, message);
  }

  @Put(':id/new/:slot')
  @HttpCode(204)
  answer(
    @Param('id', new LinkIdPipe()) id: Uint8Array,
    @Param('slot', new SlotPipe(NEW_DEVICE_SLOTS)) slot: LinkSlot,
    @Body({ schema: LinkMessageBody }) { message }: z.output<typeof LinkMessageBody>,
  ): void {
    this.links.leave(id, slot, message);
  }

  @Get(':id/:slot')
  read(
    @Param('id', new LinkIdPipe()) id: Uint8Array,
    @Param('slot', new SlotPipe(Object.values(LINK_SLOTS))) slot: LinkSlot,
  ): z.input<typeof LinkMessageAnswer> {
    const message = this.links.read(id, slot);
    return message ? { message: encodeBase64url(message) } : {};
  }
}
