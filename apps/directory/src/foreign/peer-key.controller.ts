/** `/directory/peer-key`: what the operator of another domain configures to know this directory by. */
import { Controller, Get, Inject } from '@nestjs/common';
import { Problem } from '@sealwire/service/problem';
import { PeerKeyAnswer } from '@sealwire/wire/http';
import { z } from 'zod';
import { PEER_KEY } from '../ports.ts';

export class PeerKey {
  constructor(
    readonly domain: string,
    readonly publicKey: Uint8Array | undefined,
  ) {}
}

@Controller('directory/peer-key')
export class PeerKeyController {
  constructor(@Inject(PEER_KEY) private readonly key: PeerKey) {}

  @Get()
  show(): z.input<typeof PeerKeyAnswer> {
    const { domain, publicKey } = this.key;
    if (!publicKey) throw new Problem('not-found', { detail: 'this directory asks no other domain' });
    return z.encode(PeerKeyAnswer, { domain, publicKey });
  }
}
