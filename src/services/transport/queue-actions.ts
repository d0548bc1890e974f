/** What an administrator does to the queues of one worker. Requests name the parts that lie on this worker. */
import {
  type ContentPiece,
  type ContentRequest,
  type MessageRequest,
  pieceOctets,
  type QueueRequest,
} from '../../management/workers/index.ts';
import type { MessageQueue, Spool } from '../../queue/index.ts';

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

/** A piece of the content of a message that this worker has. */
export async function exportMessage(
  spool: Spool,
  { id, offset }: ContentRequest,
): Promise<{ readonly piece?: ContentPiece }> {
  const message = spool.get(id);
  if (message === undefined) return {};
  const chunks: Buffer[] = [];
  let at = 0;
  let kept = 0;
  for await (const chunk of spool.stream(id)) {
    const wanted = chunk.subarray(Math.max(0, offset - at)).subarray(0, pieceOctets - kept);
    at += chunk.length;
    if (at <= offset) continue;
    chunks.push(wanted);
    kept += wanted.length;
    if (kept === pieceOctets) return { piece: { content: Buffer.concat(chunks).toString('base64'), more: true } };
  }
  return { piece: { content: Buffer.concat(chunks).toString('base64'), more: false } };
}
