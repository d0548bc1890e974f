import { LocalCmdletRunner } from '../../../src/cmdlets/index.ts';
import { type Question, Shell, type ShellOutput } from '../../../src/shell/index.ts';
import { FakeCmdlets } from './fake-cmdlets.ts';
import { WireRunner } from './wire-runner.ts';

/** Files in memory. */
export class MemoryFiles {
  readonly content = new Map<string, Uint8Array>();

  async read(path: string): Promise<Uint8Array> {
    const found = this.content.get(path);
    if (found !== undefined) return found;
    throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
  }

  async write(path: string, content: Uint8Array, append: boolean): Promise<void> {
    this.content.set(path, append ? Buffer.concat([this.content.get(path) ?? new Uint8Array(), content]) : content);
  }

  async exists(path: string): Promise<boolean> {
    return this.content.has(path);
  }
}

/** A shell on the fake cmdlets, at a fixed time, with what it wrote to the audit log. */
export class TestShell {
  readonly files = new MemoryFiles();
  readonly audited: string[] = [];
  readonly bugs: unknown[] = [];
  readonly shell: Shell;

  constructor() {
    const cmdlets = new FakeCmdlets();
    const environment = {
      store: noStore,
      role: 'EdgeTransport' as const,
      serverName: 'EDGE1',
      transport: undefined,
      auditTrail: { search: unused },
      seal: (text: string) => `sealed:${text.length}`,
      trackingLog: { search: unused },
      folders: { refusal: () => Promise.resolve(undefined) },
    };
    const runner = new LocalCmdletRunner(cmdlets, environment, {
      audited: ({ object, line, error }) => void this.audited.push(`${object} | ${line}${error}`),
    });
    this.shell = new Shell({
      cmdlets,
      runner: new WireRunner(runner),
      files: this.files,
      now: () => new Date(2026, 1, 28, 17, 5, 9).getTime(),
      variables: new Map([['COMPUTERNAME', 'EDGE1']]),
      identities: async (_noun, prefix) =>
        ['EDGE1\\Relay', 'EDGE1\\Partners'].filter((id) => id.toLowerCase().startsWith(prefix.toLowerCase())),
      onBug: (error) => void this.bugs.push(error),
    });
  }

  /** Everything that a line prints, in order, and whether it went well. */
  async run(
    text: string,
    options: Partial<Parameters<Shell['run']>[1]> = {},
  ): Promise<{ text: string; ok: boolean; pieces: ShellOutput[] }> {
    const pieces: ShellOutput[] = [];
    let printed = '';
    let ok = false;
    for await (const piece of this.shell.run(text, { width: 80, colour: false, ...options })) {
      pieces.push(piece);
      if (piece.kind === 'end') ok = piece.ok;
      else if (piece.kind !== 'progress') printed += piece.text;
    }
    return { text: printed, ok, pieces };
  }
}

const unused = (): never => {
  throw new Error('the fake cmdlets use no directory');
};
const noStore = { configurationDn: '', search: unused, add: unused, modify: unused, together: unused, delete: unused };

/** Answers questions from a list; fails the test when there are more questions than answers. */
export function answering(...answers: string[]): { ask: (question: Question) => Promise<string>; asked: Question[] } {
  const asked: Question[] = [];
  const ask = async (question: Question): Promise<string> => {
    asked.push(question);
    const answer = answers.shift();
    if (answer === undefined) throw new Error(`no answer to: ${question.message}`);
    return answer;
  };
  return { ask, asked };
}
