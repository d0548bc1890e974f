/** The door of the language alone, for who only has to know where a statement ends. */
export { isComplete } from './parser.ts';
