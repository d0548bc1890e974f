import type { Operation } from '../../../cmdlets/calling/index.ts';
import type { Question } from '../../endpoint.ts';
import type { RenderOptions } from '../../format/rendered.ts';
import type { ScriptBlock } from '../../values/script-block.ts';
import type { ShellError } from '../../values/shell-error.ts';

/** A parameter as the binder, help and completion see it. */
export interface ParameterDescription {
  readonly name: string;
  /** Name of a type as in brackets (`Int32`, `String[]`), `SwitchParameter`, or one that only messages show. */
  readonly type: string;
  readonly aliases?: readonly string[];
  /** From 0; absent: by name only. */
  readonly position?: number;
  readonly mandatory?: boolean;
  /** Taken from objects of the pipeline: whole, or from their property of the same name. */
  readonly fromPipeline?: 'value' | 'property' | 'both';
  /** Takes all arguments that are left. */
  readonly remaining?: boolean;
  /** Parameter sets that it belongs to; absent: all. */
  readonly sets?: readonly string[];
  /** The only values, compared without case. */
  readonly allowed?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly help?: string;
  /** Turns a value into what the cmdlet works with. Throws RangeError that says what is right. */
  readonly parse?: (value: unknown) => unknown;
  /** Loads what `parse` works with, where that is not here yet; awaited before `parse` is called. */
  readonly ready?: () => Promise<void>;
  /** What may be typed here is asked from the session's owner: 'ReceiveConnector' … */
  readonly identityOf?: string;
}

/** What is known of a cmdlet without running it. */
export interface CmdletDescription {
  readonly name: string;
  readonly synopsis: string;
  readonly parameters: readonly ParameterDescription[];
  /** -WhatIf and -Confirm are taken. */
  readonly shouldProcess?: boolean;
  /** Type of the objects that come out, for completion and Get-Help. */
  readonly output?: string;
  readonly examples?: readonly { readonly line: string; readonly text: string }[];
  /** Name that error ids end with; default the cmdlet's own. */
  readonly implementation?: string;
}

/** A cmdlet that runs. */
export interface ShellCmdlet extends CmdletDescription {
  /** The objects that it writes. `input` is absent at the head of a pipeline. */
  run(call: CmdletCall): AsyncIterable<unknown>;
}

export interface CmdletCall {
  /** Bound parameters by their full names. */
  readonly bound: ReadonlyMap<string, unknown>;
  readonly input: AsyncIterable<unknown> | undefined;
  readonly host: CommandHost;
  /** Binds an object of the pipeline: all parameters with those that the object gives. Throws ShellError. */
  bind(item: unknown): ReadonlyMap<string, unknown>;
}

/** What a running cmdlet may ask of the shell. */
export interface CommandHost {
  readonly render: RenderOptions;
  readonly signal: AbortSignal;
  /** The pipeline as it was typed, without the secrets in it. */
  readonly line: string;
  /** Writes an error; the cmdlet goes on. Throws when errors are to stop it. */
  error(error: ShellError): void;
  warning(text: string): void;
  verbose(text: string): void;
  /** A text that is shown only when it is asked for. */
  information(text: string): void;
  /** Text for the person, past the pipeline. Ends its line itself. */
  print(text: string): void;
  progress(activity: string, status: string, percent?: number): void;
  /** Asks or tells (-Confirm, -WhatIf) before something is changed. False: leave it. */
  shouldProcess(operation: Operation): Promise<boolean>;
  /** Runs a block with `$_` set; all that it writes. */
  invoke(block: ScriptBlock, item: unknown): Promise<unknown[]>;
  /** Asks the person. Throws ShellError when nobody is there to answer. */
  ask(question: Question): Promise<string>;
  getVariable(name: string): unknown;
  removeVariable(name: string): void;
  variableNames(): readonly string[];
  setVariable(name: string, value: unknown): void;
}
