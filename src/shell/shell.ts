import { printableLines } from '../base/text/index.ts';
import type { CmdletDescriptions, CmdletRunner } from '../cmdlets/calling/index.ts';
import { builtInCmdlets } from './builtins/all.ts';
import { Channel } from './caller/channel.ts';
import { Catalogue } from './catalogue.ts';
import { type CompletionParts, completeLine } from './complete.ts';
import type { Completion, RunOptions, ShellEndpoint, ShellOutput } from './endpoint.ts';
import { paint } from './format/colour.ts';
import { OutputWriter } from './format/output.ts';
import { Rendered, type RenderOptions } from './format/rendered.ts';
import { builtInView, type View } from './format/views.ts';
import { wordWrap } from './format/word-wrap.ts';
import { evaluate } from './interpreter/expressions/evaluate.ts';
import { Budget, cancelled } from './interpreter/state/budget.ts';
import { type Context, Failure, type FileAccess, report, type Session } from './interpreter/state/context.ts';
import { ErrorRecord } from './interpreter/state/error-record.ts';
import { Leave } from './interpreter/state/leave.ts';
import { Scope } from './interpreter/state/scope.ts';
import type { Streams } from './interpreter/state/streams.ts';
import { runStatement, runStatements } from './interpreter/statements.ts';
import { parse } from './language/parser.ts';
import type { ShellSyntaxError } from './language/syntax-error.ts';
import { productCmdlet } from './product-cmdlet.ts';
import { ownTypeName } from './values/exchange-types.ts';
import { Hashtable } from './values/hashtable.ts';
import type { Source } from './values/script-block.ts';
import { ShellError } from './values/shell-error.ts';
import { ShellList } from './values/shell-list.ts';
import { usualEnumerationLimit } from './values/text.ts';
import { Version } from './values/version.ts';

/** What a shell is made of. */
export interface ShellParts {
  /** The product's cmdlets. */
  readonly cmdlets: CmdletDescriptions;
  /** Runs them: in this process, or where the directory and the queues are. */
  readonly runner: CmdletRunner;
  readonly files: FileAccess;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** `$env:` variables; names in upper case. */
  readonly variables?: ReadonlyMap<string, string>;
  /** Identities that may be typed for a noun ('ReceiveConnector'), for completion. */
  readonly identities?: CompletionParts['identities'];
  /** Told of failures that no cmdlet foresaw. */
  readonly onBug?: (error: unknown) => void;
}

/** One session of the management shell. Lines run one after the other; variables live on. */
export class Shell implements ShellEndpoint {
  readonly #parts: ShellParts;
  readonly #catalogue: Catalogue;
  readonly #scope = new Scope();
  readonly #session: Session;
  #succeeded = true;
  #running: Promise<unknown> = Promise.resolve();

  constructor(parts: ShellParts) {
    this.#parts = parts;
    const { files, now } = parts;
    this.#catalogue = new Catalogue([
      ...builtInCmdlets({ files, now, findView: (name) => this.#view(name), finder: () => this.#catalogue }),
      ...parts.cmdlets.all.map((cmdlet) => productCmdlet(cmdlet, parts.runner, parts.files)),
    ]);
    this.#session = {
      findCmdlet: (name) => this.#catalogue.find(name),
      commandNames: () => this.#catalogue.names(),
      environment: parts.variables ?? new Map<string, string>(),
      files,
      now,
      errors: new ShellList(),
      ...(parts.onBug === undefined ? {} : { onBug: parts.onBug }),
    };
    for (const [name, value] of initialVariables) this.#scope.set(name, value);
  }

  /** The cmdlets that lines may name, with those of the language. */
  get catalogue(): Catalogue {
    return this.#catalogue;
  }

  /** Runs a line or a script; waits for the one before it. */
  async *run(text: string, options: RunOptions): AsyncGenerator<ShellOutput> {
    const channel = new Channel<ShellOutput>();
    const stop = new AbortController();
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
    const before = this.#running;
    const work = before.then(() => this.#work(text, { ...options, signal }, channel));
    // A fault is thrown below to whoever reads. When nobody does any more, it must end neither the service nor the next line.
    this.#running = work.catch(() => undefined);
    try {
      yield* channel;
      await work;
    } finally {
      stop.abort();
    }
  }

  complete(text: string, cursor: number): Promise<Completion> {
    return completeLine(text, cursor, {
      finder: this.#catalogue,
      variables: () => this.#scope.names(),
      valueOf: (name) => this.#scope.get(name),
      ...(this.#parts.identities === undefined ? {} : { identities: this.#parts.identities }),
    });
  }

  #view(typeName: string): View | undefined {
    const own = ownTypeName(typeName);
    return builtInView(own) ?? this.#parts.cmdlets.views.get(own);
  }

  async #work(
    text: string,
    options: RunOptions & { signal: AbortSignal },
    channel: Channel<ShellOutput>,
  ): Promise<void> {
    const tally = { errors: 0 };
    const render = renderOptions(options, this.#scope, (text) => streams.warning(text));
    const writer = new OutputWriter(render, (name) => this.#view(name));
    const show = (piece: ShellOutput): void => {
      if (piece.kind === 'error') tally.errors += 1;
      const held = writer.flush();
      if (held !== '') channel.push({ kind: 'text', text: held });
      channel.push(piece);
    };
    const streams = streamsTo(show, options);
    const source: Source = { text, ...(options.file === undefined ? {} : { file: options.file }) };
    const context: Context = {
      session: this.#session,
      scope: this.#scope,
      source,
      streams,
      engine: { evaluate, runStatement, runStatements },
      budget: new Budget(options.signal),
      render,
      state: { succeeded: this.#succeeded, errors: 0 },
    };
    try {
      const { script, errors } = parse(text);
      for (const error of errors) report(context, syntaxRecord(error, source));
      if (errors.length > 0) return;
      for await (const object of runStatements(script.statements, context)) {
        // What the last lines hold comes before a warning about this table.
        const before = object instanceof Rendered ? writer.end() : '';
        if (before !== '') channel.push({ kind: 'text', text: before });
        const ready = writer.write(object);
        if (ready !== '') channel.push({ kind: 'text', text: ready });
        await channel.room();
      }
    } catch (error) {
      // Statements report their own failures; what arrives here only ended the script.
      if (error instanceof Leave) tally.errors += error.status === 0 ? 0 : 1;
      else if (!(error instanceof Failure)) throw error;
      else if (!error.reported) report(context, error.record);
    } finally {
      this.#succeeded = context.state.succeeded && tally.errors === 0;
      const rest = writer.end();
      if (rest !== '') channel.push({ kind: 'text', text: rest });
      channel.push({ kind: 'end', ok: tally.errors === 0 });
      channel.close();
    }
  }
}

const initialVariables: readonly (readonly [string, unknown])[] = [
  ['ErrorActionPreference', 'Continue'],
  ['WarningPreference', 'Continue'],
  ['VerbosePreference', 'SilentlyContinue'],
  ['ConfirmPreference', 'High'],
  ['WhatIfPreference', false],
  ['FormatEnumerationLimit', usualEnumerationLimit],
  ['InformationPreference', 'SilentlyContinue'],
  ['ProgressPreference', 'Continue'],
  ['DebugPreference', 'SilentlyContinue'],
  // The version of the language that lines follow.
  ['PSVersionTable', new Hashtable([['PSVersion', new Version(5, 1)]])],
];

/** How a line's objects are shown; `$FormatEnumerationLimit` as it is when they are. */
function renderOptions({ width, colour }: RunOptions, scope: Scope, warn: (text: string) => void): RenderOptions {
  const isWanted = (): boolean => !/^(?:silentlycontinue|ignore)$/i.test(String(scope.get('WarningPreference')));
  return {
    warn: (text) => {
      if (isWanted()) warn(text);
    },
    width,
    colour,
    get enumerationLimit() {
      const limit = scope.get('FormatEnumerationLimit');
      return typeof limit === 'number' ? limit : usualEnumerationLimit;
    },
  };
}

function syntaxRecord(error: ShellSyntaxError, source: Source): ErrorRecord {
  const details = { id: error.id, category: 'ParserError', exception: 'ParentContainsErrorRecordException' } as const;
  return new ErrorRecord(new ShellError(error.message, details), { source, extent: error.extent });
}

function streamsTo(show: (piece: ShellOutput) => void, options: RunOptions & { signal: AbortSignal }): Streams {
  const labelled = (kind: 'warning' | 'verbose', text: string): void => {
    const lines = wordWrap(`${kind.toUpperCase()}: ${printableLines(text)}`, options.width);
    show({ kind, text: lines.map((line) => `${paint('yellow', line, options.colour)}\n`).join('') });
  };
  return {
    error: (record) => show({ kind: 'error', text: record.render(options) }),
    warning: (text) => labelled('warning', text),
    verbose: (text) => labelled('verbose', text),
    print: (text) => show({ kind: 'text', text }),
    progress: (activity, status, percent) => {
      show({ kind: 'progress', activity, status, ...(percent === undefined ? {} : { percent }) });
    },
    ...(options.ask === undefined ? {} : { ask: answered(options.ask, options.signal) }),
  };
}

/** Whoever gives no answer (Ctrl-C, Ctrl-D, a terminal that is gone) stops the line. */
function answered(ask: NonNullable<RunOptions['ask']>, signal: AbortSignal): NonNullable<RunOptions['ask']> {
  return async (question) => {
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([ask(question), left.promise]);
    } catch {
      throw cancelled('No answer was given. The pipeline has been stopped.');
    } finally {
      signal.removeEventListener('abort', leave);
    }
  };
}
