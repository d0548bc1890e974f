/**
 * The door of whoever calls a shell that lives elsewhere, and for nobody else: lines go out, pieces of output and questions come
 * back. `edge shell -c` on a running service loads this and neither language nor cmdlets, so that it answers at once.
 */
export type {
  Completion,
  Question,
  RunOptions,
  ShellEndpoint,
  ShellOutput,
} from '../endpoint.ts';
export type { FileAccess } from '../interpreter/state/context.ts';
export { Channel } from './channel.ts';
export { exitOf } from './exit.ts';
export { ProgressLine } from './progress.ts';
export { answerOf, questionText } from './question.ts';
