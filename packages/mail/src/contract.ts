/** What every mailer must do, as tests: an adapter's test file calls `mailerContract` and adds nothing but its own faults. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Mailer } from './port.ts';

export interface MailPlace {
  open(): Promise<Mailer>;
  /** Each as it arrived, the oldest first: head and body. */
  arrived(): Promise<string[]>;
  remove(): Promise<void>;
}

/** Registers the suite. The sender is `no-reply@example.org`. */
export function mailerContract(name: string, newPlace: () => Promise<MailPlace>): void {
  describe(`mailer contract: ${name}`, () => {
    let place: MailPlace;
    let mailer: Mailer;

    beforeEach(async () => {
      place = await newPlace();
      mailer = await place.open();
    });
    afterEach(async () => {
      await mailer.close();
      await place.remove();
    });

    it('sends a text to one address, from the one sender', async () => {
      await mailer.send({ to: 'alice@example.com', subject: 'A code', text: 'It is\n\n    abc-DEF_123\n' });
      const [mail, ...more] = await place.arrived();
      expect(more).toEqual([]);
      const [head, body] = splitMail(mail!);
      expect(head).toMatch(/^To: alice@example\.com$/m);
      expect(head).toMatch(/^From: no-reply@example\.org$/m);
      expect(head).toMatch(/^Subject: A code$/m);
      expect(head).toMatch(/^Date: /m);
      expect(head).toMatch(/^Message-ID: </im);
      expect(body).toContain('\n    abc-DEF_123\n');
    });

    it('sends each once, in their order', async () => {
      for (const subject of ['one', 'two', 'three'])
        await mailer.send({ to: 'bob@example.com', subject, text: subject });
      const subjects = (await place.arrived()).map((mail) => /^Subject: (.*)$/m.exec(splitMail(mail)[0])?.[1]);
      expect(subjects).toEqual(['one', 'two', 'three']);
    });

    it('makes no head of what is in a subject or a text', async () => {
      await mailer.send({
        to: 'bob@example.com',
        subject: 'a\r\nBcc: eve@example.com',
        text: '.\r\nBcc: eve@example.com\n.\n',
      });
      const [mail] = await place.arrived();
      const [head, body] = splitMail(mail!);
      expect(head).not.toMatch(/^Bcc:/m);
      expect(body).toContain('\nBcc: eve@example.com\n.\n');
    });
  });
}

/** Head and body, with the line ends of this system. */
function splitMail(mail: string): [string, string] {
  const text = mail.replaceAll('\r\n', '\n');
  const end = text.indexOf('\n\n');
  return [text.slice(0, end), text.slice(end + 1)];
}
