/** The service's side of the management shell: sessions that live here, questions and files that live with the caller. */
import { type AuditEntry, type CmdletCatalogue, type CmdletContext } from '../cmdlets/index.ts';
import { type ServiceLog } from '../logs/index.ts';
import { type FileAccess, type Question, Shell } from '../shell/index.ts';
import { type ManagementMethod } from '../supervisor/index.ts';

/** What the cmdlets of this process work on. */
export type ShellGround = Pick<CmdletContext, 'store' | 'role' | 'serverName' | 'transport' | 'auditTrail'>;

/** Where a shell tells what happens in it. */
export interface ShellTelling {
  /** Writes to the admin audit log, who did it among the rest. Throws Error when it cannot. */
  readonly audited: (entry: AuditEntry, account?: string) => void;
  readonly log?: ServiceLog['log'];
}

/** A line to run, as it comes over the management socket. */
export interface ShellRequest {
  /** Chosen by the caller: lines with the same one share their variables. */
  readonly session: string;
  readonly text: string;
  readonly width: number;
  readonly colour: boolean;
  readonly file?: string;
  /** Account of the caller, for the admin audit log. Only root and the account of the service can say one at all. */
  readonly account?: string;
}

/** What the service asks of the caller while a line runs: an answer of the person, or a file with the caller's rights. */
export type CallerTask =
  | { readonly task: 'ask'; readonly question: Question }
  | { readonly task: 'read'; readonly path: string }
  | { readonly task: 'write'; readonly path: string; readonly content: string; readonly append: boolean }
  | { readonly task: 'exists'; readonly path: string };

/** Answer to a task; binary content is base64. */
export interface TaskReply {
  readonly token: number;
  readonly value?: string | boolean;
  readonly error?: string;
}

/** Sessions kept; the one used least recently goes first. */
const mostSessions = 32;

interface Session {
  readonly shell: Shell;
  /** Who runs the line. */
  account?: string | undefined;
  /** Sends a task to the caller of the line that runs now. */
  call: (task: CallerTask) => Promise<string | boolean>;
}

/** Methods of the management endpoint that run lines. */
export function shellMethods(
  cmdlets: CmdletCatalogue,
  ground: ShellGround,
  telling: ShellTelling,
): Record<string, ManagementMethod> {
  const sessions = new Map<string, Session>();
  const waiting = new Map<number, (reply: TaskReply) => void>();
  let nextToken = 1;

  const sessionOf = (id: string): Session => {
    const session = sessions.get(id) ?? openSession(cmdlets, ground, telling);
    sessions.delete(id);
    sessions.set(id, session);
    if (sessions.size > mostSessions) sessions.delete(sessions.keys().next().value ?? '');
    return session;
  };

  async function* run(params: unknown, signal: AbortSignal): AsyncGenerator<unknown, unknown> {
    const { session: id, text, width, colour, file, account } = params as ShellRequest;
    const session = sessionOf(id);
    session.account = account;
    const tasks: { readonly token: number; readonly task: CallerTask }[] = [];
    let wake = Promise.withResolvers<void>();
    session.call = (task) => {
      const token = nextToken++;
      const { promise, resolve, reject } = Promise.withResolvers<string | boolean>();
      waiting.set(token, ({ value, error }) => (error === undefined ? resolve(value ?? '') : reject(new Error(error))));
      tasks.push({ token, task });
      wake.resolve();
      return promise;
    };
    const ask = async (question: Question): Promise<string> => String(await session.call({ task: 'ask', question }));
    const output = session.shell.run(text, { width, colour, signal, ask, ...(file === undefined ? {} : { file }) });
    const iterator = output[Symbol.asyncIterator]();
    let next = iterator.next();
    // Output and tasks go out as they come; a task that waits for its answer holds up the line, not this loop.
    for (;;) {
      await Promise.race([next, wake.promise]);
      wake = Promise.withResolvers();
      for (const task of tasks.splice(0)) yield task;
      const state = await Promise.race([next, Promise.resolve(undefined)]);
      if (state === undefined) continue;
      if (state.done === true) return undefined;
      yield state.value;
      next = iterator.next();
    }
  }

  return {
    shell: run,
    'shell-reply': async function* (params) {
      const reply = params as TaskReply;
      waiting.get(reply.token)?.(reply);
      waiting.delete(reply.token);
    },
    'shell-complete': async function* (params) {
      const { session, text, cursor } = params as { session: string; text: string; cursor: number };
      return sessionOf(session).shell.complete(text, cursor);
    },
  };
}

function openSession(cmdlets: CmdletCatalogue, ground: ShellGround, telling: ShellTelling): Session {
  const files: FileAccess = {
    read: async (path) => Buffer.from(String(await session.call({ task: 'read', path })), 'base64'),
    write: async (path, content, append) => {
      await session.call({ task: 'write', path, content: Buffer.from(content).toString('base64'), append });
    },
    exists: async (path) => (await session.call({ task: 'exists', path })) === true,
  };
  const session: Session = {
    shell: openShell(cmdlets, ground, files, {
      ...telling,
      audited: (entry) => telling.audited(entry, session.account),
    }),
    call: () => Promise.reject(new Error('nobody is there to answer')),
  };
  return session;
}

/** A shell on this ground. */
export function openShell(
  cmdlets: CmdletCatalogue,
  ground: ShellGround,
  files: FileAccess,
  { audited, log }: ShellTelling,
): Shell {
  return new Shell({
    cmdlets,
    environment: () => ({ ...ground, audited }),
    files,
    now: () => Date.now(),
    onBug: (error) => log?.error({ err: error }, 'a cmdlet failed by a fault of the program'),
  });
}
