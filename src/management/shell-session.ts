/** The service's side of the management shell: sessions that live here, questions and files that live with the caller. */
import type { AuditEntry, CmdletCatalogue, CmdletGround } from '../cmdlets/index.ts';
import type { ServiceLog } from '../logs/index.ts';
import { type FileAccess, type Question, Shell, type ShellOutput } from '../shell/index.ts';
import { identitiesOf } from './identities.ts';
import type { Caller, ManagementMethod } from './management-server.ts';
import { accountText } from './store/own-account.ts';

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
  /** Who became root by sudo, for the admin audit log; believed from root alone. */
  readonly sudoer?: string;
  /** Somebody is there to answer questions. */
  readonly canAsk: boolean;
}

/** What the service asks of the caller while a line runs: an answer of the person, or a file with the caller's rights. */
export type CallerTask =
  | { readonly task: 'ask'; readonly question: Question }
  | { readonly task: 'read'; readonly path: string }
  | { readonly task: 'write'; readonly path: string; readonly content: string; readonly append: boolean }
  | { readonly task: 'exists'; readonly path: string };

/** Answer to a task; binary content is base64. */
export interface TaskReply {
  readonly session: string;
  readonly token: number;
  readonly value?: string | boolean;
  readonly error?: string;
}

/** What a line gives: its output, and tasks for the caller in between. */
export type ShellPart = ShellOutput | { readonly kind: 'task'; readonly token: number; readonly task: CallerTask };

/** Sessions kept; the one used least recently goes first. */
const mostSessions = 32;

interface Session {
  readonly shell: Shell;
  /** Who runs the line. */
  account?: string | undefined;
  /** Tasks of the line that runs now, which wait for their answers. Nobody else knows the session's name. */
  readonly waiting: Map<number, (reply: Pick<TaskReply, 'value' | 'error'>) => void>;
  /** Sends a task to the caller of the line that runs now. */
  call: (task: CallerTask) => Promise<string | boolean>;
}

/** Methods of the management endpoint that run lines. */
export function shellMethods(
  cmdlets: CmdletCatalogue,
  ground: CmdletGround,
  telling: ShellTelling,
): Record<string, ManagementMethod> {
  const sessions = new Map<string, Session>();

  const sessionOf = (caller: Caller, name: string): Session => {
    const id = sessionId(caller, name);
    const session = sessions.get(id) ?? openSession(cmdlets, ground, telling);
    sessions.delete(id);
    sessions.set(id, session);
    if (sessions.size > mostSessions) sessions.delete(sessions.keys().next().value ?? '');
    return session;
  };

  return {
    'shell-place': async function* () {
      return { serverName: ground.serverName, role: ground.role };
    },
    shell: (params, signal, caller) => {
      const request = params as ShellRequest;
      const session = sessionOf(caller, request.session);
      session.account = accountText(caller.name, request.sudoer);
      return runLine(session, request, signal);
    },
    'shell-reply': async function* (params, _signal, caller) {
      const { session, token, ...reply } = params as TaskReply;
      const waiting = sessions.get(sessionId(caller, session))?.waiting;
      waiting?.get(token)?.(reply);
      waiting?.delete(token);
    },
    'shell-complete': async function* (params, _signal, caller) {
      const { session, text, cursor } = params as { session: string; text: string; cursor: number };
      return sessionOf(caller, session).shell.complete(text, cursor);
    },
  };
}

/** A session belongs to the account that began it, whoever gets to know its name. */
function sessionId({ uid }: Caller, name: string): string {
  return `${uid} ${name}`;
}

/** Output and tasks go out as they come; a task that waits for its answer holds up the line, not this loop. */
async function* runLine(
  session: Session,
  { text, width, colour, file, canAsk }: ShellRequest,
  signal: AbortSignal,
): AsyncGenerator<ShellPart, undefined> {
  const tasks: ShellPart[] = [];
  let wake = Promise.withResolvers<void>();
  let nextToken = 1;
  session.call = (task) => {
    const token = nextToken++;
    const { promise, resolve, reject } = Promise.withResolvers<string | boolean>();
    session.waiting.set(token, ({ value, error }) =>
      error === undefined ? resolve(value ?? '') : reject(new Error(error)),
    );
    tasks.push({ kind: 'task', token, task });
    wake.resolve();
    return promise;
  };
  const leave = (): void => {
    for (const settle of session.waiting.values()) settle({ error: 'the line was stopped' });
    session.waiting.clear();
  };
  signal.addEventListener('abort', leave);
  const ask = async (question: Question): Promise<string> => String(await session.call({ task: 'ask', question }));
  const options = { width, colour, signal, ...(canAsk ? { ask } : {}), ...(file === undefined ? {} : { file }) };
  const iterator = session.shell.run(text, options)[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    for (;;) {
      await Promise.race([next, wake.promise]);
      wake = Promise.withResolvers();
      yield* tasks.splice(0);
      const state = await Promise.race([next, Promise.resolve(undefined)]);
      if (state === undefined) continue;
      if (state.done === true) return undefined;
      yield state.value;
      next = iterator.next();
    }
  } finally {
    signal.removeEventListener('abort', leave);
    leave();
    await iterator.return?.(undefined);
  }
}

function openSession(cmdlets: CmdletCatalogue, ground: CmdletGround, telling: ShellTelling): Session {
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
    waiting: new Map(),
    call: () => Promise.reject(new Error('nobody is there to answer')),
  };
  return session;
}

/** A shell on this ground. */
export function openShell(
  cmdlets: CmdletCatalogue,
  ground: CmdletGround,
  files: FileAccess,
  { audited, log }: ShellTelling,
): Shell {
  return new Shell({
    cmdlets,
    environment: () => ({ ...ground, audited }),
    files,
    now: () => Date.now(),
    identities: (noun, prefix) => identitiesOf(cmdlets, ground, noun, prefix),
    onBug: (error) => log?.error({ err: error }, 'a cmdlet failed by a fault of the program'),
  });
}
