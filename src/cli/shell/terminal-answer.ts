/** Questions of lines that run without a prompt, put to whoever sits at the terminal. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { answerOf, type Question, questionText } from '../../shell/caller/index.ts';

/** Asks at the terminal; the default choice is taken for an empty answer. Throws Error when none is given (Ctrl-C, Ctrl-D). */
export async function answerAtTerminal(question: Question): Promise<string> {
  const { head, label } = questionText(question);
  process.stderr.write(head);
  for (;;) {
    const answer = answerOf(await readRow(label, question.secret === true), question);
    if (answer !== undefined) return answer;
  }
}

/** One row of input; a secret one is not shown, whatever is written to. */
export async function readRow(label: string, secret: boolean): Promise<string> {
  const given = new AbortController();
  const output = secret ? new Writable({ write: (_chunk, _encoding, done) => done() }) : process.stderr;
  const terminal = createInterface({ input: process.stdin, output, ...(secret && { terminal: true }) });
  terminal.once('close', () => given.abort());
  // The terminal is in raw mode, so that the signal has to be sent by hand to whoever stops the line.
  terminal.once('SIGINT', () => {
    process.stderr.write('^C');
    // The line must not end before whoever stops it has heard why.
    process.once('SIGINT', () => terminal.close());
    process.kill(process.pid, 'SIGINT');
  });
  try {
    if (secret) process.stderr.write(label);
    return await terminal.question(secret ? '' : label, { signal: given.signal });
  } catch (cause) {
    throw new Error('no answer was given', { cause });
  } finally {
    terminal.close();
    if (secret) process.stderr.write('\n');
  }
}
