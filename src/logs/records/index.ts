/**
 * The door of the decisions behind `edge why`. Commands load this alone, without the service log and the library behind it.
 * Everything else of the room is at its main door.
 */
export { parseQuestion, type Question } from '../decision-question.ts';
export { type Chain, findChains } from '../decision-search.ts';
export { sentenceOf } from '../sentences.ts';
