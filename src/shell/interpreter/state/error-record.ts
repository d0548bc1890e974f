import { printableLines } from '../../../base/text/index.ts';
import { paint } from '../../format/colour.ts';
import type { RenderOptions } from '../../format/rendered.ts';
import { wordWrap } from '../../format/word-wrap.ts';
import { type Extent, placeOf } from '../../language/position.ts';
import type { Source } from '../../values/script-block.ts';
import type { ErrorDetails, ShellError } from '../../values/shell-error.ts';
import { ShellObject } from '../../values/shell-object.ts';
import { toText } from '../../values/text.ts';
import { shortTypeName } from '../../values/types.ts';

/** Where an error arose. */
export interface ErrorPlace {
  readonly source: Source;
  readonly extent: Extent;
}

/** An error as `$Error` keeps it and PowerShell prints it. */
export class ErrorRecord extends ShellObject {
  readonly message: string;
  readonly details: ErrorDetails;
  readonly place: ErrorPlace | undefined;
  /** The cmdlet that wrote it, with the name that error ids end with; absent for errors of the language. */
  readonly command: { readonly name: string; readonly implementation?: string } | undefined;

  constructor(error: ShellError, place?: ErrorPlace, command?: ErrorRecord['command']) {
    const exception = new ShellException(error);
    super('System.Management.Automation.ErrorRecord', [
      ['PSMessageDetails', null],
      ['Exception', exception],
      ['TargetObject', error.details.target ?? null],
    ]);
    this.message = error.message;
    this.details = error.details;
    this.place = place;
    this.command = command;
    this.set('CategoryInfo', new CategoryInfo(this));
    this.set('FullyQualifiedErrorId', this.fullyQualifiedErrorId);
    this.set('ErrorDetails', null);
    this.set('InvocationInfo', place === undefined ? null : invocationInfo(place, command?.name ?? null));
    this.set('ScriptStackTrace', place === undefined ? null : stackTrace(place));
  }

  get fullyQualifiedErrorId(): string {
    const suffix =
      this.command === undefined || this.details.ownId === true
        ? ''
        : `,${this.command.implementation ?? this.command.name}`;
    return this.details.id + suffix;
  }

  /** `InvalidArgument: (target:Type) [Cmdlet], Exception`. */
  get categoryInfo(): string {
    const { category, target, exception = 'RuntimeException' } = this.details;
    const about = target === undefined || target === null ? ':' : `${shorten(toText(target))}:${shortTypeName(target)}`;
    return `${category}: (${about}) [${this.command?.name ?? ''}], ${exception}`;
  }

  override toString(): string {
    return this.message;
  }

  /** As PowerShell prints it: message, place with a mark under it, category and id. */
  render({ width, colour }: RenderOptions): string {
    const name = this.command?.name ?? this.details.subject;
    const message = wordWrap(`${name === undefined ? '' : `${name} : `}${this.message}`, width);
    const place = this.place === undefined ? [] : markedLine(this.place);
    const lines = [
      // What is wrong with the text itself stands below the place.
      ...(this.details.category === 'ParserError' ? [...place, ...message] : [...message, ...place]),
      `    + CategoryInfo          : ${this.categoryInfo}`,
      `    + FullyQualifiedErrorId : ${this.fullyQualifiedErrorId}`,
    ];
    return `${lines.map((line) => paint('red', printableLines(line), colour)).join('\n')}\n\n`;
  }
}

/** What was thrown, as `$_.Exception` gives it. */
class ShellException extends ShellObject {
  constructor({ message, details: { exception = 'RuntimeException' } }: ShellError) {
    super(`${namespaces[exception] ?? 'System.Management.Automation'}.${exception}`, [
      ['Message', message],
      ['InnerException', null],
    ]);
  }

  override toString(): string {
    return `${this.typeName}: ${toText(this.get('Message'))}`;
  }
}

/** Namespaces of exceptions that are not PowerShell's own. */
const namespaces: Readonly<Record<string, string>> = {
  ArgumentException: 'System',
  Exception: 'System',
  FormatException: 'System',
  IOException: 'System.IO',
  NotImplementedException: 'System',
  NotSupportedException: 'System',
  ManagementObjectNotFoundException: 'Microsoft.Exchange.Configuration.Tasks',
  ManagementObjectAmbiguousException: 'Microsoft.Exchange.Configuration.Tasks',
  ADObjectAlreadyExistsException: 'Microsoft.Exchange.Data.Directory',
  DataValidationException: 'Microsoft.Exchange.Data',
};

class CategoryInfo extends ShellObject {
  readonly #text: string;

  constructor({ details, command, categoryInfo }: ErrorRecord) {
    const { category, target, exception = 'RuntimeException' } = details;
    super('System.Management.Automation.ErrorCategoryInfo', [
      ['Category', category],
      ['Activity', command?.name ?? ''],
      ['Reason', exception],
      ['TargetName', toText(target)],
      ['TargetType', target === undefined || target === null ? '' : shortTypeName(target)],
    ]);
    this.#text = categoryInfo;
  }

  override toString(): string {
    return this.#text;
  }
}

function invocationInfo(place: ErrorPlace, command: string | null): ShellObject {
  const { line, column, text } = placeOf(place.source.text, place.extent.start);
  return new ShellObject('System.Management.Automation.InvocationInfo', [
    ['MyCommand', command],
    ['ScriptLineNumber', line],
    ['OffsetInLine', column],
    ['ScriptName', place.source.file ?? ''],
    ['Line', text],
    ['PositionMessage', markedLine(place).join('\n')],
    ['InvocationName', command ?? ''],
  ]);
}

function stackTrace({ source, extent }: ErrorPlace): string {
  return `at <ScriptBlock>, ${source.file ?? '<No file>'}: line ${placeOf(source.text, extent.start).line}`;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= 40 ? line : `${line.slice(0, 20)}...${line.slice(-17)}`;
}

/** Longest line that is shown whole; of longer ones the part around the error is. */
const maxLine = 69;

function markedLine({ source, extent }: ErrorPlace): string[] {
  const { line, column, text } = placeOf(source.text, extent.start);
  const trimmed = text.trimEnd();
  const length = Math.max(1, Math.min(extent.end - extent.start, trimmed.length - column + 1));
  const start = trimmed.length <= maxLine ? 0 : Math.max(0, Math.min(column - 1 - 12, trimmed.length - maxLine));
  const end = Math.min(trimmed.length, start + maxLine);
  const before = start > 0 ? '... ' : '';
  const after = end < trimmed.length ? ' ...' : '';
  const mark =
    ' '.repeat(before.length + column - 1 - start) + '~'.repeat(Math.min(length, Math.max(1, end - column + 1)));
  return [
    `At ${source.file ?? 'line'}:${line} char:${column}`,
    `+ ${before}${trimmed.slice(start, end)}${after}`,
    `+ ${mark}`,
  ];
}
