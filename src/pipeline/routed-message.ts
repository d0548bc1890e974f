import type { Envelope } from '../mail/index.ts';

/** A message that has got its next hops. */
export interface RoutedMessage {
  /** Session that brought it; '' for one of the pickup or replay folder, and for a report made here. */
  readonly session: string;
  readonly messageId: string;
  readonly envelope: Envelope;
  /** Agents of the categorizer have changed it. */
  readonly changed: boolean;
  header(): Promise<Buffer>;
  /** The content behind the header. */
  readonly body: AsyncIterable<Buffer>;
}
