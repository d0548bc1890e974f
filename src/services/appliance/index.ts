/** The supervisor's process: `edge start`. */
export { start } from './start.ts';
