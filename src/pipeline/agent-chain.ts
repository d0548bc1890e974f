import { changeHeader, changeRecipients, type MessageChanges, type RecipientChanges } from './message-changes.ts';
import type {
  AgentAction,
  AgentDecision,
  ContentReader,
  EndOfDataArgs,
  EndOfHeadersArgs,
  Handler,
  MailCommandArgs,
  RcptCommandArgs,
  ReceiveAgent,
  SmtpSession,
} from './receive-agent.ts';

/** Changes that one agent made. */
export interface AgentChanges {
  readonly agent: string;
  readonly changes: MessageChanges;
}

/** What came of an event. */
export interface Outcome<Args> {
  /** Undefined: all agents let it pass. */
  readonly decision?: AgentDecision;
  /** The arguments with the changes in them; the same object when there were none. */
  readonly args: Args;
  readonly changes: readonly AgentChanges[];
}

/** Runs an event through its agents. A promise only when an agent gave one. */
export type EventRun<Args> = (args: Args) => Outcome<Args> | Promise<Outcome<Args>>;

interface Step<Args> {
  readonly agent: string;
  readonly handle: (args: Args) => AgentAction<MessageChanges> | Promise<AgentAction<MessageChanges>>;
}

/** A content reader with its agent. */
export interface NamedReader {
  readonly agent: string;
  readonly reader: ContentReader;
}

type Apply<Args> = (args: Args, changes: MessageChanges) => Args;

/**
 * The agents of a session, in order of priority. An event that no agent cares for is `undefined`: the session asks
 * for that before it makes the arguments, so that an empty chain costs one comparison.
 */
export class AgentChain {
  readonly onConnect: EventRun<SmtpSession> | undefined;
  readonly onEhlo: EventRun<SmtpSession> | undefined;
  readonly onMail: EventRun<MailCommandArgs> | undefined;
  readonly onRcptTo: EventRun<RcptCommandArgs> | undefined;
  readonly onEndOfHeaders: EventRun<EndOfHeadersArgs> | undefined;
  /** The readers of one message; of those agents only that care for it. */
  readonly readContent: ((args: EndOfHeadersArgs) => readonly NamedReader[]) | undefined;
  readonly onEndOfData: EventRun<EndOfDataArgs> | undefined;

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
): Outcome<EndOfDataArgs> | Promise<Outcome<EndOfDataArgs>> {
  const steps = readers.map(({ agent, reader }) => ({ agent, handle: (seen: EndOfDataArgs) => reader.end(seen) }));
  return run(steps, changedMessage, 0, { args, changes: [] });
}

function openReaders(agents: readonly ReceiveAgent[], args: EndOfHeadersArgs): readonly NamedReader[] {
  return agents.flatMap((agent) => {
    const reader = agent.readContent?.(args);
    return reader === undefined ? [] : [{ agent: agent.name, reader }];
  });
}

function compile<Args, Changes extends MessageChanges>(
  agents: readonly ReceiveAgent[],
  handlerOf: (agent: ReceiveAgent) => Handler<Args, Changes> | undefined,
  apply: Apply<Args>,
): EventRun<Args> | undefined {
  const steps = agents.flatMap((agent): Step<Args>[] => {
    const handle = handlerOf(agent);
    return handle === undefined ? [] : [{ agent: agent.name, handle }];
  });
  return steps.length === 0 ? undefined : (args) => run(steps, apply, 0, { args, changes: [] });
}

function run<Args>(
  steps: readonly Step<Args>[],
  apply: Apply<Args>,
  from: number,
  before: Outcome<Args>,
): Outcome<Args> | Promise<Outcome<Args>> {
  let outcome = before;
  for (let i = from; i < steps.length; i++) {
    const step = steps[i];
    if (step === undefined) break;
    const action = step.handle(outcome.args);
    if (action instanceof Promise) {
      const sofar = outcome;
      return action.then((late) => {
        const next = follow(step.agent, late, apply, sofar);
        return next.decision === undefined ? run(steps, apply, i + 1, next) : next;
      });
    }
    outcome = follow(step.agent, action, apply, outcome);
    if (outcome.decision !== undefined) return outcome;
  }
  return outcome;
}

function follow<Args>(
  agent: string,
  action: AgentAction<MessageChanges>,
  apply: Apply<Args>,
  before: Outcome<Args>,
): Outcome<Args> {
  if (action.kind !== 'continue') return { ...before, decision: { agent, action } };
  const { changes } = action;
  if (changes === undefined) return before;
  return { args: apply(before.args, changes), changes: [...before.changes, { agent, changes }] };
}

function unchanged<Args>(args: Args): Args {
  return args;
}

function changedCommand(args: RcptCommandArgs, { recipients = [] }: RecipientChanges): RcptCommandArgs {
  return { ...args, recipients: changeRecipients(args.recipients, recipients) };
}

function changedMessage<Args extends EndOfHeadersArgs>(
  args: Args,
  { header = [], recipients = [] }: MessageChanges,
): Args {
  const envelope = { ...args.envelope, recipients: changeRecipients(args.envelope.recipients, recipients) };
  return { ...args, envelope, header: changeHeader(args.header, header) };
}
