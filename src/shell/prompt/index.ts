/**
 * The door of the prompt: keys, the line that is being edited, its history, the pager. It works on any `ShellEndpoint` and loads no
 * cmdlet; the language's parser comes with the first Enter.
 */
export { History } from './history.ts';
export { KeyQueue } from './key-queue.ts';
export { KeyDecoder } from './keys.ts';
export { Prompt, type PromptScreen } from './prompt.ts';
