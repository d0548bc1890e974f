import { nearestNameHint } from '../base/index.ts';
import { parameterSyntax } from './builtins/help.ts';
import type { CommandFinder } from './catalogue.ts';
import { type CurrentCommand, currentCommand } from './completion/current-command.ts';
import type { Candidate, CandidateKind, Completion } from './endpoint.ts';
import { findParameter } from './interpreter/commands/plan.ts';
import { allParameters } from './interpreter/state/common-parameters.ts';
import type { CmdletDescription, ParameterDescription } from './interpreter/state/contract.ts';
import { isDash, isDoubleQuote, isSingleQuote, plainDashes } from './language/characters.ts';
import { propertiesOf } from './values/members.ts';
import { ShellError } from './values/shell-error.ts';

/** What completion asks of a session. */
export interface CompletionParts {
  readonly finder: CommandFinder;
  readonly variables: () => readonly string[];
  readonly valueOf: (name: string) => unknown;
  /** Identities of the objects of a noun that begin with a text, live from the directory. */
  readonly identities?: (noun: string, prefix: string) => Promise<readonly string[]>;
}

const maxCandidates = 500;
const alwaysThere = ['true', 'false', 'null', '_', 'Error'];

/** What may stand at the cursor: a cmdlet, a parameter, a value, a variable or a property. */
export async function completeLine(text: string, cursor: number, parts: CompletionParts): Promise<Completion> {
  const command = currentCommand(text.slice(0, cursor));
  const { current } = command;
  const { from, candidates } = await candidatesFor(command, parts);
  const about = aboutCursor(command, parts.finder);
  return {
    from: current.start + from,
    to: cursor,
    candidates: candidates.slice(0, maxCandidates),
    ...(about === undefined ? {} : { about }),
  };
}

/** The parameter that the cursor is in, what the cmdlet does, or that there is no such cmdlet. */
function aboutCursor(command: CurrentCommand, finder: CommandFinder): string | undefined {
  const { words, current } = command;
  const head = words[0]?.text ?? current.text;
  if (!/^[\p{L}][\w-]*(?:\.ps1)?$/iu.test(plainDashes(head))) return undefined;
  const cmdlet = finder.find(plainDashes(head));
  if (words.length === 0) return cmdlet?.synopsis;
  if (cmdlet === undefined) return `'${head}' is not a cmdlet.${nearestNameHint(head, finder.names())}`;
  const isName = isDash(current.text.charAt(0)) && !current.text.includes(':');
  const parameter = isName ? named(current.text, cmdlet) : parameterAt(cmdlet, command);
  return parameter === undefined ? undefined : [parameterSyntax(parameter), parameter.help ?? ''].join('  ').trim();
}

interface Found {
  /** Where in the current word the candidates begin. */
  readonly from: number;
  readonly candidates: readonly Candidate[];
}

async function candidatesFor(command: CurrentCommand, parts: CompletionParts): Promise<Found> {
  const { current, words } = command;
  const variable = /\$[\w:]*(?:\.\w*)?$/.exec(current.text);
  if (variable !== null) return completeVariable(variable[0], variable.index, parts);
  const [head] = words;
  if (head === undefined) return { from: 0, candidates: cmdlets(plainDashes(current.text), parts.finder) };
  const cmdlet = parts.finder.find(plainDashes(head.text));
  if (cmdlet === undefined) return { from: 0, candidates: [] };
  if (isDash(current.text.charAt(0)) && !current.text.includes(':')) {
    return { from: 0, candidates: parameterNames(plainDashes(current.text).slice(1), cmdlet, command) };
  }
  return values(cmdlet, command, parts);
}

function candidate(text: string, kind: CandidateKind, hint?: string): Candidate {
  return { text, kind, ...(hint === undefined || hint === '' ? {} : { hint }) };
}

function begins(prefix: string) {
  const folded = prefix.toLowerCase();
  return (text: string): boolean => text.toLowerCase().startsWith(folded);
}

function cmdlets(prefix: string, finder: CommandFinder): Candidate[] {
  const fits = begins(prefix);
  const names = finder.cmdlets
    .filter(({ name }) => fits(name))
    .map(({ name, synopsis }) => candidate(name, 'cmdlet', synopsis));
  if (prefix === '' || prefix.includes('-')) return names;
  const known = new Set(names.map(({ text }) => text));
  const others = [...finder.names()].filter((name) => fits(name) && !known.has(name));
  return [...names, ...others.map((name) => candidate(name, 'alias', finder.find(name)?.name))];
}

function completeVariable(text: string, index: number, parts: CompletionParts): Found {
  const [name = '', property] = text.slice(1).split('.');
  if (property !== undefined) {
    const own = propertiesOf(parts.valueOf(name)).filter(([key]) => begins(property)(key));
    return { from: index + text.length - property.length, candidates: own.map(([key]) => candidate(key, 'property')) };
  }
  const names = [...new Set([...parts.variables(), ...alwaysThere])].filter(begins(name)).toSorted();
  return { from: index, candidates: names.map((own) => candidate(`$${own}`, 'variable')) };
}

function parameterNames(prefix: string, cmdlet: CmdletDescription, { words }: CurrentCommand): Candidate[] {
  const used = new Set(
    words
      .filter(({ text }) => isDash(text.charAt(0)))
      .map(({ text }) => plainDashes(text).slice(1).split(':')[0]?.toLowerCase()),
  );
  return allParameters(cmdlet)
    .filter(({ name }) => begins(prefix)(name) && !used.has(name.toLowerCase()))
    .map(({ name, type, help }) =>
      candidate(`-${name}`, 'parameter', [type === 'SwitchParameter' ? '' : `<${type}>`, help ?? ''].join(' ').trim()),
    );
}

/** The parameter that `-Name` or `-Name:value` means; undefined for none or several. */
function named(text: string, cmdlet: CmdletDescription): ParameterDescription | undefined {
  try {
    return findParameter(plainDashes(text).slice(1).replace(/:.*$/, ''), allParameters(cmdlet));
  } catch (error) {
    if (error instanceof ShellError) return undefined;
    throw error;
  }
}

/** The parameter that the word at the cursor is a value of. */
function parameterAt(cmdlet: CmdletDescription, { words, current }: CurrentCommand): ParameterDescription | undefined {
  const all = allParameters(cmdlet);
  if (isDash(current.text.charAt(0))) return named(current.text, cmdlet);
  let place = 0;
  let waiting: ParameterDescription | undefined;
  const taken = new Set<ParameterDescription>();
  for (const [i, { text }] of words.slice(1).entries()) {
    const before = words[i]?.text;
    if (isDash(text.charAt(0)) && /^[\p{L}_]/u.test(text.charAt(1))) {
      const found = named(text, cmdlet);
      if (found !== undefined) taken.add(found);
      waiting = found === undefined || found.type === 'SwitchParameter' || text.includes(':') ? undefined : found;
    } else if (text === ',') {
      waiting = waiting ?? positional(all, place - 1, taken);
    } else if (waiting !== undefined || before === ',') {
      waiting = words[i + 2]?.text === ',' ? waiting : undefined;
    } else {
      place += 1;
    }
  }
  return waiting ?? positional(all, place, taken);
}

function positional(
  all: readonly ParameterDescription[],
  place: number,
  taken: ReadonlySet<ParameterDescription>,
): ParameterDescription | undefined {
  const free = all.filter((parameter) => parameter.position !== undefined && !taken.has(parameter));
  return free.toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0))[Math.max(place, 0)];
}

async function values(cmdlet: CmdletDescription, command: CurrentCommand, parts: CompletionParts): Promise<Found> {
  const parameter = parameterAt(cmdlet, command);
  const { text } = command.current;
  const colon = isDash(text.charAt(0)) ? text.indexOf(':') + 1 : 0;
  const written = text.slice(colon);
  const opening = isSingleQuote(written.charAt(0)) || isDoubleQuote(written.charAt(0)) ? written.charAt(0) : '';
  const prefix = written.slice(opening.length);
  const found = parameter === undefined ? [] : await possible(parameter, { prefix, command, parts });
  const fits = begins(prefix);
  return {
    from: colon,
    candidates: found
      .filter(({ text: value }) => fits(value))
      .map((one) => ({ ...one, text: quotedLike(one.text, opening) })),
  };
}

interface Sought {
  readonly prefix: string;
  readonly command: CurrentCommand;
  readonly parts: CompletionParts;
}

async function possible(parameter: ParameterDescription, { prefix, command, parts }: Sought): Promise<Candidate[]> {
  if (parameter.allowed !== undefined) return parameter.allowed.map((value) => candidate(value, 'value'));
  if (/^(?:Boolean|SwitchParameter)$/.test(parameter.type))
    return ['$true', '$false'].map((value) => candidate(value, 'value'));
  if (parameter.identityOf !== undefined && parts.identities !== undefined) {
    return (await parts.identities(parameter.identityOf, prefix)).map((value) => candidate(value, 'identity'));
  }
  const takesProperties =
    parameter.name === 'Property' || parameter.name === 'ExpandProperty' || parameter.name === 'GroupBy';
  return takesProperties ? upstreamProperties(command, parts.finder) : [];
}

/** Properties of what comes down the pipeline: what Set- takes for the noun of the first Get-. */
function upstreamProperties({ upstream }: CurrentCommand, finder: CommandFinder): Candidate[] {
  const noun = /^get-(\S+)/i.exec(plainDashes(upstream[0] ?? ''))?.[1];
  const set = noun === undefined ? undefined : finder.find(`Set-${noun}`);
  const names = set?.parameters.filter(({ type }) => type !== 'SwitchParameter').map(({ name }) => name) ?? [];
  return names
    .filter((name) => !['DomainController', 'Confirm', 'WhatIf'].includes(name))
    .map((name) => candidate(name, 'property'));
}

/** A value as it may stand in a line: in the quotes that were begun, or in quotes when it must. */
function quotedLike(value: string, opening: string): string {
  const doubled = value.replace(/['\u2018-\u201B]/g, '$&$&');
  if (opening !== '' && isDoubleQuote(opening)) return `"${value.replace(/["`$\u201C-\u201E]/g, '`$&')}"`;
  const plain =
    opening === '' && (/^\$(?:true|false|null)$/.test(value) || !/[\s'"`$(){};,|&<>@#\u2018-\u201E]|^-/.test(value));
  return plain ? value : `'${doubled}'`;
}
