/** One event on its way through the agents that handle it, in order, whichever kind of agent they are. */
import type { MessageChanges } from './message-changes.ts';

export interface Continue<Changes = never> {
  readonly kind: 'continue';
  readonly changes?: Changes;
}

/** Changes that one agent made. */
export interface AgentChanges {
  readonly agent: string;
  readonly changes: MessageChanges;
}

/** What came of an event. */
export interface Outcome<Args, Ending> {
  /** What an agent said that ended the event; undefined: all let it pass. */
  readonly decision?: { readonly agent: string; readonly action: Ending };
  /** The arguments with the changes in them; the same object when there were none. */
  readonly args: Args;
  readonly changes: readonly AgentChanges[];
}

/** Runs an event through its agents. A promise only when an agent gave one. */
export type EventRun<Args, Ending> = (args: Args) => Outcome<Args, Ending> | Promise<Outcome<Args, Ending>>;

export type EventHandler<Args, Changes, Ending> = (
  args: Args,
) => Continue<Changes> | Ending | Promise<Continue<Changes> | Ending>;

interface Step<Args, Ending> {
  readonly agent: string;
  readonly handle: EventHandler<Args, MessageChanges, Ending>;
}

type Apply<Args> = (args: Args, changes: MessageChanges) => Args;

/** Undefined when no agent handles the event, so that nothing is made for it. `agents` are in order of priority. */
export function compile<Agent extends { readonly name: string }, Args, Ending extends { readonly kind: string }>(
  agents: readonly Agent[],
  handlerOf: (agent: Agent) => EventHandler<Args, MessageChanges, Ending> | undefined,
  apply: Apply<Args>,
): EventRun<Args, Ending> | undefined {
  const steps = agents.flatMap((agent): Step<Args, Ending>[] => {
    const handle = handlerOf(agent);
    return handle === undefined ? [] : [{ agent: agent.name, handle }];
  });
  return steps.length === 0 ? undefined : (args) => runSteps(steps, apply, { args, changes: [] });
}

export function runSteps<Args, Ending extends { readonly kind: string }>(
  steps: readonly Step<Args, Ending>[],
  apply: Apply<Args>,
  before: Outcome<Args, Ending>,
  from = 0,
): Outcome<Args, Ending> | Promise<Outcome<Args, Ending>> {
  let outcome = before;
  for (let i = from; i < steps.length; i++) {
    const step = steps[i];
    if (step === undefined) break;
    const action = step.handle(outcome.args);
    if (action instanceof Promise) {
      const sofar = outcome;
      return action.then((late) => {
        const next = follow(step.agent, late, apply, sofar);
        return next.decision === undefined ? runSteps(steps, apply, next, i + 1) : next;
      });
    }
    outcome = follow(step.agent, action, apply, outcome);
    if (outcome.decision !== undefined) return outcome;
  }
  return outcome;
}

function follow<Args, Ending extends { readonly kind: string }>(
  agent: string,
  action: Continue<MessageChanges> | Ending,
  apply: Apply<Args>,
  before: Outcome<Args, Ending>,
): Outcome<Args, Ending> {
  if (!isContinue(action)) return { ...before, decision: { agent, action } };
  const { changes } = action;
  if (changes === undefined) return before;
  return { args: apply(before.args, changes), changes: [...before.changes, { agent, changes }] };
}

function isContinue<Ending extends { readonly kind: string }>(
  action: Continue<MessageChanges> | Ending,
): action is Continue<MessageChanges> {
  return action.kind === 'continue';
}
