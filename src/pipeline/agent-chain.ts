import { compile, type EventRun, type Outcome, runSteps } from './event-run.ts';
import { changedMessage, changeRecipients, type RecipientChanges } from './message-changes.ts';
import type {
  ContentReader,
  EndOfDataArgs,
  EndOfHeadersArgs,
  MailCommandArgs,
  RcptCommandArgs,
  ReceiveAgent,
  ReceiveEnding,
  SmtpSession,
} from './receive-agent.ts';

/** What came of an event of a session. */
export type ReceiveOutcome<Args> = Outcome<Args, ReceiveEnding>;

type Run<Args> = EventRun<Args, ReceiveEnding>;

/** A content reader with its agent. */
export interface NamedReader {
  readonly agent: string;
  readonly reader: ContentReader;
}

/**
 * The agents of a session, in order of priority. An event that no agent cares for is `undefined`: the session asks
 * for that before it makes the arguments, so that an empty chain costs one comparison.
 */
export class AgentChain {
  readonly onConnect: Run<SmtpSession> | undefined;
  readonly onEhlo: Run<SmtpSession> | undefined;
  readonly onMail: Run<MailCommandArgs> | undefined;
  readonly onRcptTo: Run<RcptCommandArgs> | undefined;
  readonly onEndOfHeaders: Run<EndOfHeadersArgs> | undefined;
  /** The readers of one message; of those agents only that care for it. */
  readonly readContent: ((args: EndOfHeadersArgs) => readonly NamedReader[]) | undefined;
  readonly onEndOfData: Run<EndOfDataArgs> | undefined;

  constructor(agents: readonly ReceiveAgent[] = []) {
    const ordered = agents.toSorted((a, b) => a.priority - b.priority);
    this.onConnect = compile(ordered, (agent) => agent.onConnect?.bind(agent), unchanged);
    this.onEhlo = compile(ordered, (agent) => agent.onEhlo?.bind(agent), unchanged);
    this.onMail = compile(ordered, (agent) => agent.onMail?.bind(agent), unchanged);
    this.onRcptTo = compile(ordered, (agent) => agent.onRcptTo?.bind(agent), changedCommand);
    this.onEndOfHeaders = compile(ordered, (agent) => agent.onEndOfHeaders?.bind(agent), changedMessage);
    const readers = ordered.filter((agent) => agent.readContent !== undefined);
    this.readContent = readers.length === 0 ? undefined : (args) => openReaders(readers, args);
    this.onEndOfData = compile(ordered, (agent) => agent.onEndOfData?.bind(agent), changedMessage);
  }
}

/** Asks the readers of a message, in order, what comes of it. */
export function endOfContent(
  readers: readonly NamedReader[],
  args: EndOfDataArgs,
): ReceiveOutcome<EndOfDataArgs> | Promise<ReceiveOutcome<EndOfDataArgs>> {
  const steps = readers.map(({ agent, reader }) => ({ agent, handle: (seen: EndOfDataArgs) => reader.end(seen) }));
  return runSteps(steps, changedMessage, { args, changes: [] });
}

function openReaders(agents: readonly ReceiveAgent[], args: EndOfHeadersArgs): readonly NamedReader[] {
  return agents.flatMap((agent) => {
    const reader = agent.readContent?.(args);
    return reader === undefined ? [] : [{ agent: agent.name, reader }];
  });
}

function unchanged<Args>(args: Args): Args {
  return args;
}

function changedCommand(args: RcptCommandArgs, { recipients = [] }: RecipientChanges): RcptCommandArgs {
  return { ...args, recipients: changeRecipients(args.recipients, recipients) };
}
