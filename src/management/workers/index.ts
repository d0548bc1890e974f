/** The door of the workers' side: what the directory process asks of them. */
export {
  type ContentPiece,
  type ContentRequest,
  type MessageRequest,
  pieceOctets,
  type QueueRequest,
  toWorkers,
} from './worker-messages.ts';
