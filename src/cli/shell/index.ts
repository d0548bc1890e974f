/** The terminal's side of `edge shell`: the prompt, lines and scripts, questions, and where the lines run. */
export { shell } from './shell-command.ts';
