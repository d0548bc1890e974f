import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** What the client sends. */
export interface LabMessage {
  readonly from: string;
  readonly to: readonly string[];
  /** Parameters of MAIL, such as BODY=8BITMIME SMTPUTF8. */
  readonly parameters: string;
  readonly content: Buffer;
}

/** A server that says nothing for so long says nothing any more. */
const patienceMs = 60_000;

/** Sends one message as a plain client does, one command after the other; resolves with the reply to the content. */
export async function sendMessage(host: string, port: number, message: LabMessage): Promise<string> {
  const socket = connect({ host, port, noDelay: true });
  // A server that is killed while it takes up the connection leaves it open for ever at this end.
  socket.setTimeout(patienceMs, () => socket.destroy());
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const reply = async (expected: string): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('the server closed the connection');
      if (value[3] === '-') continue;
      if (!value.startsWith(expected)) throw new Error(value);
      return value;
    }
  };
  const say = (text: string): void => void socket.write(`${text}\r\n`);
  try {
    await reply('220');
    say('EHLO client.sender.example');
    await reply('250');
    say(`MAIL FROM:<${message.from}> SIZE=${message.content.length} ${message.parameters}`.trimEnd());
    await reply('250');
    for (const to of message.to) {
      say(`RCPT TO:<${to}>`);
      await reply('250');
    }
    say('DATA');
    await reply('354');
    // RFC 5321 §4.5.2: a line that begins with a dot gets one more.
    socket.write(Buffer.from(message.content.toString('latin1').replace(/^\./gm, '..'), 'latin1'));
    say('.');
    const accepted = await reply('250');
    say('QUIT');
    return accepted;
  } finally {
    socket.end();
  }
}
