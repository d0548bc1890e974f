/** The door of text that a stranger chose, made fit to be shown: for commands, which load nothing that they do not use. */
export {
  cellText,
  escapedJson,
  longestLogged,
  printable,
  printableJson,
  printableLines,
  spreadsheetCell,
} from './printable-text.ts';
