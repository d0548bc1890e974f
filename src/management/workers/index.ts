/** The door of the workers' side: what the directory process asks of them. */
export {
  type ConfigurationState,
  type ContentPiece,
  type ContentRequest,
  type MessageRequest,
  pieceOctets,
  type QueueRequest,
  type ToWorkers,
  toWorkers,
  type WorkerStatus,
} from './worker-messages.ts';
