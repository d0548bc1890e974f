import type { RenderOptions } from '../../format/rendered.ts';
import type { Expression, Pipeline, Statement } from '../../language/ast.ts';
import type { Extent } from '../../language/position.ts';
import type { ScriptBlock, Source } from '../../values/script-block.ts';
import { ShellError } from '../../values/shell-error.ts';
import type { ShellList } from '../../values/shell-list.ts';
import { type Budget, cancelled } from './budget.ts';
import type { ShellCmdlet } from './contract.ts';
import { ErrorRecord } from './error-record.ts';
import { Leave } from './leave.ts';
import type { Scope } from './scope.ts';
import type { Streams } from './streams.ts';

/** Files, as far as cmdlets may reach them. */
export interface FileAccess {
  read(path: string): Promise<Uint8Array>;
  /** Makes or replaces the file, or adds to its end. `ownerOnly`: nobody else may read it, mode 0600. */
  write(path: string, content: Uint8Array, append: boolean, options?: { readonly ownerOnly: boolean }): Promise<void>;
  exists(path: string): Promise<boolean>;
}

/** What stays the same while a session lives. */
export interface Session {
  /** A cmdlet by name or alias, without regard to case. */
  findCmdlet(name: string): ShellCmdlet | undefined;
  /** Names of cmdlets and aliases, for suggestions. */
  commandNames(): Iterable<string>;
  /** `$env:…`; names in upper case. */
  readonly environment: ReadonlyMap<string, string>;
  readonly files: FileAccess;
  readonly now: () => number;
  /** Newest first, at most 256. */
  readonly errors: ShellList;
  /** Told of a failure that no cmdlet foresaw. */
  readonly onBug?: (error: unknown) => void;
}

/** The two halves of the language, which need each other: `engine.ts` reaches them. */
export interface Engine {
  evaluate(node: Expression, context: Context): Promise<unknown>;
  runStatement(statement: Statement, context: Context): AsyncGenerator<unknown>;
  runStatements(statements: readonly Statement[], context: Context): AsyncGenerator<unknown>;
}

/** What one line, or one script block in it, runs with. */
export interface Context {
  readonly engine: Engine;
  readonly session: Session;
  readonly scope: Scope;
  readonly source: Source;
  readonly streams: Streams;
  readonly budget: Budget;
  readonly render: RenderOptions;
  readonly state: LineState;
  /** The innermost one that runs. */
  readonly pipeline?: Pipeline;
  /** A try statement around takes errors that end statements. */
  readonly trapping?: boolean;
  /** The error that a catch block works on. */
  readonly caught?: ErrorRecord;
}

/** What changes while a line runs. */
export interface LineState {
  /** `$?`: the last statement wrote no error. */
  succeeded: boolean;
  /** Errors written since the line began. */
  errors: number;
}

const maxErrors = 256;

/** Puts an error on record: `$Error`, the error stream, `$?`. */
export function report(context: Context, record: ErrorRecord, shown = true): void {
  context.session.errors.unshift(record);
  context.session.errors.length = Math.min(context.session.errors.length, maxErrors);
  context.state.errors += 1;
  if (shown) context.streams.error(record);
}

/** An error that ends statements, with the place and command that it belongs to. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly record: ErrorRecord;
  /** Ends the whole script, not the statement alone: -ErrorAction Stop, Ctrl+C. */
  readonly stopsScript: boolean;
  /** It has been written, or was silenced. */
  readonly reported: boolean;

  constructor(record: ErrorRecord, { stopsScript = false, reported = false } = {}) {
    super(record.message);
    this.record = record;
    this.stopsScript = stopsScript;
    this.reported = reported;
  }
}

/** Gives an error its place, if it has none yet. Other throws are bugs: they are reported and named so. Throws Leave. */
export function located(context: Context, error: unknown, extent: Extent, command?: ErrorRecord['command']): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof Leave) throw error;
  const { signal } = context.budget;
  const stopped = signal.aborted && error === signal.reason;
  const known = error instanceof ShellError ? error : stopped ? cancelled() : unforeseen(context, error);
  const record = new ErrorRecord(known, { source: context.source, extent }, command);
  const stopsScript = ['PipelineStopped', 'WorkLimitExceeded'].includes(known.details.id);
  return new Failure(record, { stopsScript });
}

function unforeseen(context: Context, cause: unknown): ShellError {
  context.session.onBug?.(cause);
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ShellError(`An unexpected error has occurred: ${message}`, {
    id: 'UnexpectedError',
    category: 'NotSpecified',
    exception: 'Exception',
    cause,
  });
}

/** The context that a script block runs in: its own source text, a given scope. */
export function inBlock(context: Context, block: ScriptBlock, scope: Scope): Context {
  return { ...context, source: block.source, scope };
}
