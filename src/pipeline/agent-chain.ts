import type {
  HeaderBlockFacts,
  Judgement,
  MessageFacts,
  ReceiveAgent,
  RecipientFacts,
  SenderFacts,
  SessionFacts,
  Verdict,
} from './receive-agent.ts';

/** Runs an event through its agents. Undefined: all of them let it pass. A promise only when an agent gave one. */
export type EventRun<Context> = (context: Context) => Judgement | undefined | Promise<Judgement | undefined>;

interface Step<Context> {
  readonly agent: string;
  readonly handle: (context: Context) => Verdict | Promise<Verdict>;
}

/**
 * The agents of a session, in order of priority. An event that no agent cares for is `undefined`: the session asks
 * for that before it makes a context, so that an empty chain costs one comparison.
 */
export class AgentChain {
  readonly onConnect: EventRun<SessionFacts> | undefined;
  readonly onEhlo: EventRun<SessionFacts> | undefined;
  readonly onMail: EventRun<SenderFacts> | undefined;
  readonly onRcptTo: EventRun<RecipientFacts> | undefined;
  readonly onEndOfHeaders: EventRun<HeaderBlockFacts> | undefined;
  readonly onEndOfData: EventRun<MessageFacts> | undefined;

  constructor(agents: readonly ReceiveAgent[] = []) {
    const ordered = agents.toSorted((a, b) => a.priority - b.priority);
    this.onConnect = compile(ordered, (agent) => agent.onConnect?.bind(agent));
    this.onEhlo = compile(ordered, (agent) => agent.onEhlo?.bind(agent));
    this.onMail = compile(ordered, (agent) => agent.onMail?.bind(agent));
    this.onRcptTo = compile(ordered, (agent) => agent.onRcptTo?.bind(agent));
    this.onEndOfHeaders = compile(ordered, (agent) => agent.onEndOfHeaders?.bind(agent));
    this.onEndOfData = compile(ordered, (agent) => agent.onEndOfData?.bind(agent));
  }
}

function compile<Context>(
  agents: readonly ReceiveAgent[],
  handlerOf: (agent: ReceiveAgent) => Step<Context>['handle'] | undefined,
): EventRun<Context> | undefined {
  const steps = agents.flatMap((agent): Step<Context>[] => {
    const handle = handlerOf(agent);
    return handle === undefined ? [] : [{ agent: agent.name, handle }];
  });
  return steps.length === 0 ? undefined : (context) => run(steps, 0, context);
}

function run<Context>(
  steps: readonly Step<Context>[],
  from: number,
  context: Context,
): Judgement | undefined | Promise<Judgement | undefined> {
  for (const [i, { agent, handle }] of steps.entries()) {
    if (i < from) continue;
    const verdict = handle(context);
    if (verdict instanceof Promise) {
      return verdict.then((said) => judge(agent, said) ?? run(steps, i + 1, context));
    }
    const judgement = judge(agent, verdict);
    if (judgement !== undefined) return judgement;
  }
  return undefined;
}

function judge(agent: string, verdict: Verdict): Judgement | undefined {
  return verdict.kind === 'continue' ? undefined : { agent, verdict };
}
