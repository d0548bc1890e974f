import { paint } from '../format/colour.ts';
import { type RenderOptions } from '../format/rendered.ts';
import { wordWrap } from '../format/word-wrap.ts';
import { type Extent, placeOf } from '../language/position.ts';
import { type Source } from '../values/script-block.ts';
import { type ErrorDetails, type ShellError } from '../values/shell-error.ts';
import { ShellObject } from '../values/shell-object.ts';
import { toText } from '../values/text.ts';
import { shortTypeName } from '../values/types.ts';

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
    const exception = `System.Management.Automation.${error.details.exception ?? 'RuntimeException'}`;
    super('System.Management.Automation.ErrorRecord', [
      ['Exception', new ShellObject(exception, [['Message', error.message]])],
      ['TargetObject', error.details.target ?? null],
    ]);
    this.message = error.message;
    this.details = error.details;
    this.place = place;
    this.command = command;
    this.set('CategoryInfo', this.categoryInfo);
    this.set('FullyQualifiedErrorId', this.fullyQualifiedErrorId);
  }

  get fullyQualifiedErrorId(): string {
    const suffix = this.command === undefined ? '' : `,${this.command.implementation ?? this.command.name}`;
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
    const prefix = this.command === undefined ? '' : `${this.command.name} : `;
    const lines = [
      ...wordWrap(prefix + this.message, width),
      ...(this.place === undefined ? [] : markedLine(this.place)),
      `    + CategoryInfo          : ${this.categoryInfo}`,
      `    + FullyQualifiedErrorId : ${this.fullyQualifiedErrorId}`,
    ];
    return `${lines.map((line) => paint('red', line, colour)).join('\n')}\n\n`;
  }
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
