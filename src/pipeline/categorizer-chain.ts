import type { CategorizerAgent, CategorizerEnding, QueuedMessageArgs } from './categorizer-agent.ts';
import { compile, type EventRun } from './event-run.ts';
import { changedMessage } from './message-changes.ts';

type Run = EventRun<QueuedMessageArgs, CategorizerEnding>;

/** Events of the categorizer that agents care for. */
export class CategorizerChain {
  /** Before a next hop is looked for, in order. */
  readonly beforeRouting: readonly Run[];
  /** Behind it. */
  readonly afterRouting: readonly Run[];

  constructor(agents: readonly CategorizerAgent[] = []) {
    const ordered = agents.toSorted((a, b) => a.priority - b.priority);
    const runs = (
      event: 'onSubmittedMessage' | 'onResolvedMessage' | 'onRoutedMessage' | 'onCategorizedMessage',
    ): Run[] => {
      const run = compile<CategorizerAgent, QueuedMessageArgs, CategorizerEnding>(
        ordered,
        (agent) => agent[event]?.bind(agent),
        changedMessage,
      );
      return run === undefined ? [] : [run];
    };
    this.beforeRouting = [...runs('onSubmittedMessage'), ...runs('onResolvedMessage')];
    this.afterRouting = [...runs('onRoutedMessage'), ...runs('onCategorizedMessage')];
  }

  /** No agent cares for any event. */
  get isEmpty(): boolean {
    return this.beforeRouting.length === 0 && this.afterRouting.length === 0;
  }
}
