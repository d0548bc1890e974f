/** One round of the categorizer's agents over one message: what they see, and what becomes of it. */
import { isAscii } from 'node:buffer';
import type { Clock } from '../base/index.ts';
import type { Journal } from '../logs/index.ts';
import { type Envelope, HeaderBlock } from '../mail/index.ts';
import {
  type AgentChanges,
  type CategorizerChain,
  type CategorizerEnding,
  describeChanges,
  type QueuedMessageArgs,
  type Route,
} from '../pipeline/index.ts';
import type { Categorized, ReplacedHead, StoredMessage } from '../queue/index.ts';
import { oneLine } from '../smtp/index.ts';
import { bodyOf, type ContentSource, headerOf } from './content-source.ts';

export interface AgentRoundsParts {
  readonly chain: CategorizerChain;
  readonly contents: ContentSource;
  readonly journal: Journal;
  readonly clock: Clock;
  /** Where the recipients of an envelope go now; nothing is told of it. */
  readonly routes: (envelope: Envelope, size: number) => readonly Route[];
  /** Name of this server. */
  readonly fqdn: () => string;
}

/** Asks the agents about messages. */
export class AgentRounds {
  readonly #parts: AgentRoundsParts;

  constructor(parts: AgentRoundsParts) {
    this.#parts = parts;
  }

  /** Rejects when an agent fails, or the content cannot be read. */
  async categorize(message: StoredMessage, signal: AbortSignal): Promise<Categorized> {
    const { chain, contents, routes } = this.#parts;
    const whole = await headerOf(contents, message);
    const trace = traceSize(message, whole);
    const before: QueuedMessageArgs = {
      id: message.id,
      guid: message.guid,
      session: message.origin.session,
      connector: message.origin.connector,
      remoteAddress: message.origin.remoteAddress,
      envelope: message.envelope,
      header: whole.subarray(trace),
      size: message.facts.size,
      body: () => bodyOf(contents, message),
      routes: [],
      signal,
    };
    let args = before;
    for (const run of [...chain.beforeRouting, ...chain.afterRouting]) {
      const isRouted = chain.afterRouting.includes(run);
      const outcome = await run(isRouted ? { ...args, routes: routes(args.envelope, args.size) } : args);
      this.#tell(message, outcome.changes);
      const { decision } = outcome;
      if (decision !== undefined) return this.#end(message, decision.agent, decision.action);
      if (outcome.args.envelope.recipients.length === 0)
        return this.#end(message, outcome.changes.at(-1)?.agent ?? '', {
          kind: 'discard',
          reason: 'no recipient is left',
        });
      if (outcome.changes.length > 0) args = outcome.args;
    }
    if (args === before) return { kind: 'go' };
    return { kind: 'go', revision: this.#revision(message, args, whole, trace) };
  }

  #revision(message: StoredMessage, { envelope, header }: QueuedMessageArgs, whole: Buffer, trace: number) {
    const { facts } = message;
    const head = Buffer.concat([whole.subarray(0, trace), header]);
    const sameHeader = head.equals(whole);
    const replaced: ReplacedHead = { head, octets: whole.length };
    const { messageId, subject } = new HeaderBlock(head).facts(this.#parts.fqdn());
    const utf8Header = !isAscii(head);
    return {
      envelope,
      facts: sameHeader
        ? facts
        : {
            ...facts,
            size: facts.size - whole.length + head.length,
            headerSize: head.length,
            leadingDots: facts.leadingDots || header.includes('.'),
            eightBit: facts.eightBit || utf8Header,
            utf8Header,
            messageId,
            subject,
          },
      ...(sameHeader ? {} : { replaced }),
    };
  }

  #end(message: StoredMessage, agent: string, action: CategorizerEnding): Categorized {
    const reply = action.kind === 'reject' ? oneLine(action.reply) : '';
    this.#parts.journal.emit({
      ...this.#head(message),
      kind: 'agent-decided',
      guid: message.guid,
      messageId: message.facts.messageId,
      subject: message.facts.subject,
      from: message.envelope.from,
      recipients: message.envelope.recipients.map(({ address }) => address),
      size: message.facts.size,
      agent,
      action: action.kind,
      reason: action.reason,
      reply,
    });
    switch (action.kind) {
      case 'reject':
        return { kind: 'failed', reply };
      case 'defer':
        return { kind: 'deferred', afterMs: action.afterMs, reason: `${agent}: ${action.reason}` };
      case 'discard':
        return { kind: 'discarded' };
    }
  }

  #tell(message: StoredMessage, changes: readonly AgentChanges[]): void {
    for (const { agent, changes: made } of changes) {
      this.#parts.journal.emit({
        ...this.#head(message),
        kind: 'agent-changed',
        agent,
        changes: describeChanges(made),
      });
    }
  }

  #head({ origin, id }: StoredMessage): { readonly at: number; readonly session: string; readonly message: number } {
    return { at: this.#parts.clock.now(), session: origin.session, message: id };
  }
}

/** Octets of our own trace field, which stays on top. A report made here has none. */
function traceSize({ origin }: StoredMessage, header: Buffer): number {
  if (origin.session === '') return 0;
  const [first] = new HeaderBlock(header).fields;
  return first?.name === 'received' ? first.end : 0;
}
