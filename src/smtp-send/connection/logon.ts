/** Logging on to a smart host: RFC 4954, with PLAIN (RFC 4616) or LOGIN, what Exchange calls BasicAuth. */
import { ConnectionLost } from './connection-lost.ts';
import type { EdgeSmtpConnection } from './edge-smtp-connection.ts';
import type { PeerReply } from './reply-reader.ts';

export interface LogonSecret {
  readonly userName: string;
  readonly password: string;
}

/** What is sent, line by line; each but the first answers a 334. */
type Script = readonly { readonly line: string; readonly shown: string }[];

const hidden = '<authentication>';

/** Resolves when the peer took the logon. Rejects with ConnectionLost; no line of the log holds the secret. */
export async function logOn(connection: EdgeSmtpConnection, secret: LogonSecret): Promise<void> {
  const script = scriptOf(connection.capabilities.auth, secret);
  if (script === undefined) {
    const offered = connection.capabilities.auth.join(' ') || 'none';
    connection.abandon('it offers no AUTH PLAIN or LOGIN');
    throw new ConnectionLost(
      'policy',
      `it offers no AUTH PLAIN or LOGIN to log on with (offered: ${offered})`,
      undefined,
      {
        status: '4.7.0',
      },
    );
  }
  for (const [i, { line, shown }] of script.entries()) {
    const reply = await exchange(connection, line, shown);
    const wanted = i === script.length - 1 ? reply.code === 235 : reply.code === 334;
    if (wanted) continue;
    // A wrong password is the administrator's to mend: mail waits for it.
    connection.abandon('the logon was refused');
    throw new ConnectionLost('refused', 'the logon was refused', reply.text, { step: 'AUTH' });
  }
}

function scriptOf(offered: readonly string[], { userName, password }: LogonSecret): Script | undefined {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  if (offered.includes('PLAIN')) {
    return [{ line: `AUTH PLAIN ${base64(`\0${userName}\0${password}`)}`, shown: `AUTH PLAIN ${hidden}` }];
  }
  if (!offered.includes('LOGIN')) return undefined;
  return [
    { line: 'AUTH LOGIN', shown: 'AUTH LOGIN' },
    { line: base64(userName), shown: hidden },
    { line: base64(password), shown: hidden },
  ];
}

function exchange(connection: EdgeSmtpConnection, line: string, shown: string): Promise<PeerReply> {
  return new Promise((resolve, reject) => {
    connection.begin({
      reply(reply) {
        connection.finish();
        resolve(reply);
      },
      lost: (loss) => reject(new ConnectionLost(loss.kind, loss.message, loss.reply, { step: 'AUTH', cause: loss })),
    });
    if (connection.loss !== undefined) return;
    connection.expect(connection.timeouts.helloMs, 'waiting for the reply to AUTH');
    connection.command(`${line}\r\n`, `${shown}\r\n`);
  });
}
