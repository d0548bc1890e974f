/**
 * The management shell: Exchange's own lines run as they stand. The language (lexer, parser, printer), its interpreter,
 * the cmdlets that work on any object (Format-Table, Where-Object …), the default views, completion, checks of scripts,
 * and the prompt. Leaves out: the cmdlets of the product (room `cmdlets`), sockets and processes (room `cli`), which
 * reach a shell through `ShellEndpoint`. Parts have doors of their own: `caller` and `prompt` for the person's side,
 * `language` for the parser.
 */
export { checkScript, problemLine } from './check.ts';
export type {
  Question,
  ShellOutput,
} from './endpoint.ts';
export { knownCommands } from './known-commands.ts';
export { Shell } from './shell.ts';
