import { nearestNameHint } from '../../base/index.ts';
import type { CommandFinder } from '../catalogue.ts';
import { wordWrap } from '../format/word-wrap.ts';
import type { CmdletDescription, ParameterDescription, ShellCmdlet } from '../interpreter/state/contract.ts';
import { ShellError } from '../values/shell-error.ts';
import { ShellObject } from '../values/shell-object.ts';
import { toText } from '../values/text.ts';
import { hasWildcard, wildcard } from '../values/wildcard.ts';
import { aliases } from './aliases.ts';
import { builtIn, listParameter, switchParameter, textParameter } from './builtin.ts';

/** `[-Name] <String>` and its kin, as PowerShell writes syntax. */
export function parameterSyntax(parameter: ParameterDescription): string {
  const name = `-${parameter.name}`;
  if (parameter.type === 'SwitchParameter') return `[${name}]`;
  const value = `<${parameter.type}>`;
  const named = parameter.position === undefined ? `${name} ${value}` : `[${name}] ${value}`;
  return parameter.mandatory === true ? named : `[${named}]`;
}

function syntax({ name, parameters, shouldProcess }: CmdletDescription): string {
  const changes = shouldProcess === true ? ['[-WhatIf]', '[-Confirm]'] : [];
  const own = parameters.filter((parameter) => !['whatif', 'confirm'].includes(parameter.name.toLowerCase()));
  const ordered = own.toSorted(
    (a, b) => Number(b.mandatory ?? false) - Number(a.mandatory ?? false) || (a.position ?? 99) - (b.position ?? 99),
  );
  return [name, ...ordered.map(parameterSyntax), ...changes, '[<CommonParameters>]'].join(' ');
}

function indented(text: string, width: number, by = 4): string {
  return wordWrap(text, Math.max(20, width - by))
    .map((line) => `${' '.repeat(by)}${line}`.trimEnd())
    .join('\n');
}

function section(title: string, body: string): string {
  return `${title}\n${body}\n\n`;
}

function describe(parameter: ParameterDescription, width: number): string {
  const facts = [
    parameter.help,
    parameter.allowed === undefined ? undefined : `Values: ${parameter.allowed.join(', ')}.`,
    parameter.min === undefined && parameter.max === undefined
      ? undefined
      : `Range: ${parameter.min ?? ''}..${parameter.max ?? ''}.`,
    parameter.aliases === undefined ? undefined : `Aliases: ${parameter.aliases.join(', ')}.`,
    parameter.fromPipeline === undefined ? undefined : 'Taken from the pipeline.',
  ].filter((fact) => fact !== undefined && fact !== '');
  const text = facts.length === 0 ? '' : `\n${indented(facts.join(' '), width, 8)}`;
  return `    -${parameter.name}${parameter.type === 'SwitchParameter' ? '' : ` <${parameter.type}>`}${text}`;
}

interface HelpParts {
  readonly examples: boolean;
  readonly parameters: boolean;
}

/** The help of one cmdlet as text. */
function helpText(cmdlet: CmdletDescription, width: number, parts: HelpParts): string {
  const others = [...aliases].filter(([, name]) => name === cmdlet.name).map(([alias]) => alias);
  const examples = (cmdlet.examples ?? []).map(({ line, text }, i) => `    Example ${i + 1}: ${text}\n\n    ${line}`);
  return [
    '\n',
    section('NAME', indented(cmdlet.name, width)),
    section('SYNOPSIS', indented(cmdlet.synopsis, width)),
    section('SYNTAX', indented(syntax(cmdlet), width)),
    others.length === 0 ? '' : section('ALIASES', indented(others.join(', '), width)),
    parts.parameters && cmdlet.parameters.length > 0
      ? section('PARAMETERS', cmdlet.parameters.map((one) => describe(one, width)).join('\n\n'))
      : '',
    parts.examples && examples.length > 0 ? section('EXAMPLES', examples.join('\n\n')) : '',
    parts.parameters
      ? ''
      : section(
          'REMARKS',
          indented(`Get-Help ${cmdlet.name} -Full shows parameters; -Examples shows examples.`, width),
        ),
  ].join('');
}

function notFound(name: string, finder: CommandFinder, id: string): ShellError {
  return new ShellError(`Get-Help could not find ${name} in this session.${nearestNameHint(name, finder.names())}`, {
    id,
    category: 'ResourceUnavailable',
    exception: 'HelpNotFoundException',
    target: name,
  });
}

function commandInfo({ name, synopsis }: CmdletDescription): ShellObject {
  const [, verb = '', noun = ''] = /^([^-]+)-(.+)$/.exec(name) ?? [];
  return new ShellObject('CommandInfo', [
    ['CommandType', 'Cmdlet'],
    ['Name', name],
    ['Synopsis', synopsis],
    ['Verb', verb],
    ['Noun', noun],
  ]);
}

function matching(finder: CommandFinder, pattern: string): readonly CmdletDescription[] {
  const matches = wildcard(pattern);
  return finder.cmdlets.filter(({ name }) => matches(name));
}

/** Get-Help and Get-Command. `finder` is asked when they run: the catalogue holds these cmdlets, too. */
export function helpCmdlets(finder: () => CommandFinder): readonly ShellCmdlet[] {
  return [
    builtIn(
      {
        name: 'Get-Help',
        synopsis: 'Shows what a cmdlet does, its parameters and examples.',
        parameters: {
          Name: { type: 'String', position: 0, help: 'Name of a cmdlet, or a pattern.' },
          Full: { type: 'SwitchParameter', help: 'Shows everything.' },
          Detailed: { type: 'SwitchParameter', help: 'Shows parameters and examples.' },
          Examples: { type: 'SwitchParameter', help: 'Shows examples.' },
          Parameter: { type: 'String', help: 'Shows parameters of this name or pattern only.' },
          Online: { type: 'SwitchParameter', help: 'Taken for compatibility.' },
        },
        examples: [{ line: 'Get-Help Sort-Object -Examples', text: 'Shows how a cmdlet is used.' }],
      },
      async function* (call) {
        const name = textParameter(call, 'Name') ?? 'Get-Help';
        if (hasWildcard(name)) {
          yield* matching(finder(), name).map(commandInfo);
          return;
        }
        const cmdlet = finder().find(name);
        if (cmdlet === undefined) throw notFound(name, finder(), 'HelpNotFound');
        const { width } = call.host.render;
        const parameter = textParameter(call, 'Parameter');
        if (parameter !== undefined) {
          const matches = wildcard(parameter);
          const found = cmdlet.parameters.filter((one) => matches(one.name));
          if (found.length === 0)
            throw notFound(`a parameter '${parameter}' of ${cmdlet.name}`, finder(), 'NoParmsFound');
          yield `\n${found.map((one) => describe(one, width)).join('\n\n')}\n`;
          return;
        }
        const all = switchParameter(call, 'Full') || switchParameter(call, 'Detailed');
        yield helpText(cmdlet, width, { parameters: all, examples: all || switchParameter(call, 'Examples') });
      },
    ),
    builtIn(
      {
        name: 'Get-Command',
        synopsis: 'Lists cmdlets.',
        parameters: {
          Name: { type: 'String[]', position: 0, help: 'Names, with wildcards.' },
          Verb: { type: 'String[]', help: 'First part of the name.' },
          Noun: { type: 'String[]', help: 'Second part of the name.' },
          ParameterName: { type: 'String[]', help: 'Cmdlets with such a parameter.' },
          Syntax: { type: 'SwitchParameter', help: 'Shows parameters in short.' },
          Module: { type: 'String[]', help: 'Taken for compatibility.' },
          CommandType: { type: 'String', help: 'Taken for compatibility.' },
        },
        examples: [{ line: 'Get-Command *-Object', text: 'Lists cmdlets whose names end with -Object.' }],
      },
      async function* (call) {
        for (const cmdlet of listed(call, finder())) {
          yield switchParameter(call, 'Syntax') ? `\n${syntax(cmdlet)}\n` : commandInfo(cmdlet);
        }
      },
    ),
  ];
}

function listed(call: Parameters<ShellCmdlet['run']>[0], finder: CommandFinder): readonly CmdletDescription[] {
  const patterns = (name: string): ((text: string) => boolean)[] =>
    listParameter(call, name).map((text) => wildcard(toText(text)));
  const any = (tests: readonly ((text: string) => boolean)[], text: string): boolean =>
    tests.length === 0 || tests.some((test) => test(text));
  const [verbs, nouns, parameters] = [patterns('Verb'), patterns('Noun'), patterns('ParameterName')];
  const names = listParameter(call, 'Name').map(toText);
  const chosen = names.length === 0 ? finder.cmdlets : names.flatMap((name) => named(call, finder, name));
  return chosen.filter(({ name, parameters: own }) => {
    const [verb = '', noun = ''] = name.split('-');
    return (
      any(verbs, verb) && any(nouns, noun) && (parameters.length === 0 || own.some((one) => any(parameters, one.name)))
    );
  });
}

function named(
  call: Parameters<ShellCmdlet['run']>[0],
  finder: CommandFinder,
  name: string,
): readonly CmdletDescription[] {
  if (hasWildcard(name)) return matching(finder, name);
  const found = finder.find(name);
  if (found !== undefined) return [found];
  const message = `The term '${name}' is not recognized as the name of a cmdlet.${nearestNameHint(name, finder.names())}`;
  call.host.error(
    new ShellError(message, {
      id: 'CommandNotFoundException',
      category: 'ObjectNotFound',
      exception: 'CommandNotFoundException',
      target: name,
    }),
  );
  return [];
}
