import { type Reply, SmtpError } from '../../smtp/index.ts';
import type { MessageSink } from '../../smtp-receive/index.ts';

const refusal: Reply = { code: 550, detail: '7.1', lines: ['This socket is for tests of TLS and takes no mail'] };

/** Takes senders, so that a session can be looked at, and nobody's mail. */
export const refusingSink: MessageSink = {
  accepting: { ok: true },
  begin: () => ({
    recipient: () => ({ reply: refusal, reason: 'a temporary socket of edge tls test' }),
    content: () => {
      throw new SmtpError(refusal, 'a temporary socket of edge tls test');
    },
    abort: () => undefined,
  }),
};
