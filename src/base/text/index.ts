/** The door of text that a stranger chose, cut into lines and made fit to be shown: for commands, which load nothing that they do not use. */
export { asciiText } from './ascii-text.ts';
export { fileFault, fileReason, naming, onFile } from './file-fault.ts';
export { LineCutter } from './line-cutter.ts';
export {
  cellText,
  printable,
  printableJson,
  printableLines,
  spreadsheetCell,
} from './printable-text.ts';
