/** What an administrator does to the queues of one worker. Requests name the parts that lie on this worker. */
import type { MessageAction, QueueAction } from '../../cmdlets/index.ts';
import type { MessageQueue, NextHop, Spool } from '../../queue/index.ts';

export interface QueueRequest {
  readonly action: QueueAction;
  readonly hop: NextHop;
  readonly resubmit: boolean;
}

export interface MessageRequest {
  readonly action: MessageAction;
  readonly id: number;
  /** Pairs of worker and queue; undefined: wherever the message is. */
  readonly queues: readonly (readonly [worker: string, identity: string])[] | undefined;
}

/** Acts on this worker's part of a queue. Suspending holds for messages that come later, too. */
export async function actOnQueue(queue: MessageQueue, { action, hop, resubmit }: QueueRequest): Promise<void> {
  if (action === 'suspend') return queue.suspendHop(hop);
  const identity = queue.queueTo(hop);
  if (identity === undefined) return;
  if (action === 'resume') queue.resumeQueue(identity);
  else await queue.retryQueue(identity, { resubmit });
}

/** Acts on a message, if this worker has it. */
export async function actOnMessages(
  queue: MessageQueue,
  worker: string,
  { action, id, queues }: MessageRequest,
): Promise<void> {
  const places =
    queues === undefined ? [undefined] : queues.flatMap(([where, identity]) => (where === worker ? [identity] : []));
  for (const place of places) {
    if (action === 'suspend') queue.suspendMessage(id, place);
    else if (action === 'resume') queue.resumeMessage(id, place);
    else
      await queue.removeMessage(id, {
        report: action === 'removeWithReport',
        ...(place === undefined ? {} : { queue: place }),
      });
  }
}

/** The content of a message that this worker has. */
export async function exportMessage(spool: Spool, id: number): Promise<Buffer | undefined> {
  if (spool.get(id) === undefined) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of spool.stream(id)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
