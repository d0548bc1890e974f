import { SpoolError } from '../queue/index.ts';
import { replies, SmtpError } from '../smtp/index.ts';

/** The refusal for a spool that failed (SpoolError); any other error is a bug and comes back as it is. */
export function asRefusal(error: unknown): unknown {
  if (!(error instanceof SpoolError)) return error;
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return new SmtpError(replies.insufficientResources(''), `${error.message}${cause}`, { cause: error });
}
