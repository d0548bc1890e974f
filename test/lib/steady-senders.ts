/** Senders that go on until they are stopped, and remember what was answered 250. */
import { sendMessage } from '../../src/lab/lab-client.ts';
import type { Taken } from './scripted-sink.ts';

/** Every so many messages one is too large for the store, and goes to a file of its own. */
const defaultEvery = 10;

/** Sends numbered messages, one after the other, until told to stop. */
export async function sendUntil(
  stopped: () => boolean,
  port: number,
  name: string,
  accepted: Set<string>,
  largeEvery = defaultEvery,
): Promise<void> {
  for (let i = 0; !stopped(); i++) {
    const id = `<${name}.${i}@crash.example>`;
    const lines = i % largeEvery === largeEvery - 1 ? 3000 : 20;
    const body = 'x'.repeat(70).concat('\r\n').repeat(lines);
    const content = Buffer.from(`From: a@a.example\r\nMessage-ID: ${id}\r\n\r\n${body}`);
    try {
      await sendMessage('127.0.0.1', port, { from: 'a@a.example', to: ['b@corp.example'], parameters: '', content });
      accepted.add(id);
    } catch {
      // Refused or cut: a sender keeps such a message, so nothing is promised about it.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Their Message-IDs, as strings of their own: a piece of a content would keep all of it in memory. */
export function idsOf(taken: readonly Taken[]): string[] {
  return taken.map(({ content }) => Buffer.from(/^Message-ID: (.*)$/m.exec(content)?.[1]?.trim() ?? '').toString());
}
