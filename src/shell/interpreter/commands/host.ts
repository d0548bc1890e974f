import { printableLines } from '../../../base/text/index.ts';
import { type Operation, operationText, shouldProcess } from '../../../cmdlets/calling/index.ts';
import type { Question } from '../../endpoint.ts';
import type { RenderOptions } from '../../format/rendered.ts';
import type { Extent } from '../../language/position.ts';
import { toBoolean } from '../../values/convert.ts';
import type { ScriptBlock } from '../../values/script-block.ts';
import { ShellError } from '../../values/shell-error.ts';
import { toText } from '../../values/text.ts';
import { type Context, Failure, located, report } from '../state/context.ts';
import type { CmdletDescription, CommandHost } from '../state/contract.ts';
import type { ErrorRecord } from '../state/error-record.ts';
import { withoutSecrets } from '../state/secrets.ts';
import { readVariable, writeVariable } from '../state/variables.ts';
import type { Binding } from './binding.ts';
import { invokeBlock } from './invoke-block.ts';

type Action = 'continue' | 'silentlycontinue' | 'stop' | 'ignore' | 'inquire';

const yes = 0;
const yesToAll = 1;
const noToAll = 3;

/** The shell as one running command sees it: its common parameters decide what errors and warnings do. */
export class Host implements CommandHost {
  readonly #context: Context;
  readonly #cmdlet: CmdletDescription;
  readonly #common: ReadonlyMap<string, unknown>;
  readonly #extent: Extent;
  readonly #errors: ErrorRecord[] = [];
  readonly #warnings: string[] = [];
  readonly #output: unknown[] = [];
  #answerToAll: boolean | undefined;

  constructor(context: Context, cmdlet: CmdletDescription, binding: Binding, extent: Extent) {
    this.#context = context;
    this.#cmdlet = cmdlet;
    this.#common = binding.common;
    this.#extent = extent;
  }

  get render(): RenderOptions {
    return this.#context.render;
  }

  get signal(): AbortSignal {
    return this.#context.budget.signal;
  }

  get line(): string {
    const { pipeline, source } = this.#context;
    return pipeline === undefined ? '' : withoutSecrets(pipeline, source.text);
  }

  error(error: ShellError): void {
    this.record(located(this.#context, error, this.#extent, this.#cmdlet).record);
  }

  /** Writes a record as -ErrorAction says. Throws Failure when it says Stop. */
  record(record: ErrorRecord): void {
    const action = this.#action('ErrorAction', 'ErrorActionPreference');
    this.#errors.push(record);
    if (action === 'ignore') {
      this.#context.state.errors += 1;
      return;
    }
    if (action === 'stop') throw new Failure(record, { stopsScript: true });
    report(this.#context, record, action !== 'silentlycontinue');
  }

  warning(text: string): void {
    const action = this.#action('WarningAction', 'WarningPreference');
    this.#warnings.push(text);
    if (action === 'stop') {
      this.#context.streams.warning(text);
      throw new ShellError(
        `The running command stopped because the preference variable "WarningPreference" or common parameter is set to Stop: ${text}`,
        { id: 'ActionPreferenceStop', category: 'OperationStopped', exception: 'ActionPreferenceStopException' },
      );
    }
    if (action !== 'silentlycontinue' && action !== 'ignore') this.#context.streams.warning(text);
  }

  verbose(text: string): void {
    const asked =
      this.#common.get('Verbose') ??
      /^(?:continue|inquire)$/i.test(toText(readVariable(this.#context, 'VerbosePreference')));
    if (asked === true) this.#context.streams.verbose(text);
  }

  information(text: string): void {
    const asked = this.#common.get('InformationAction') ?? readVariable(this.#context, 'InformationPreference');
    if (/^(?:continue|inquire)$/i.test(toText(asked))) this.print(`${printableLines(text)}\n`);
  }

  print(text: string): void {
    this.#context.streams.print(text);
  }

  progress(activity: string, status: string, percent?: number): void {
    this.#context.streams.progress(activity, status, percent);
  }

  async shouldProcess(operation: Operation): Promise<boolean> {
    const whatIf = this.#common.get('WhatIf') ?? toBoolean(readVariable(this.#context, 'WhatIfPreference'));
    const confirm = this.#common.get('Confirm');
    const decision = shouldProcess(operation, {
      whatIf: whatIf === true,
      confirm: typeof confirm === 'boolean' ? confirm : undefined,
      confirmPreference: toText(readVariable(this.#context, 'ConfirmPreference')),
    });
    if (decision === 'do') return true;
    if (decision === 'ask') return this.#answerToAll ?? this.#confirm(operationText(operation));
    this.print(`What if: ${printableLines(operationText(operation))}\n`);
    return false;
  }

  async #confirm(message: string): Promise<boolean> {
    const { ask } = this.#context.streams;
    if (ask === undefined) {
      throw new ShellError(
        `${this.#cmdlet.name} asks before it acts, and nobody is there to answer: add -Confirm:$false. What would be done: ${message}`,
        { id: 'ConfirmationNotPossible', category: 'InvalidOperation', exception: 'PSInvalidOperationException' },
      );
    }
    const answer = Number(
      await ask({
        caption: 'Confirm',
        message: `Are you sure you want to perform this action?\n${message}`,
        choices: ['&Yes', 'Yes to &All', '&No', 'No to A&ll'],
        defaultChoice: yes,
      }),
    );
    if (answer === yesToAll || answer === noToAll) this.#answerToAll = answer === yesToAll;
    return answer === yes || answer === yesToAll;
  }

  async invoke(block: ScriptBlock, item: unknown): Promise<unknown[]> {
    return invokeBlock(this.#context, block, item);
  }

  async ask(question: Question): Promise<string> {
    const { ask } = this.#context.streams;
    if (ask !== undefined) return ask(question);
    throw new ShellError(
      `${this.#cmdlet.name} asks for an answer, and nobody is there to give one: ${question.message}`,
      {
        id: 'HostInteractionNotPossible',
        category: 'InvalidOperation',
        exception: 'PSInvalidOperationException',
      },
    );
  }

  removeVariable(name: string): void {
    this.#context.scope.remove(name);
  }

  variableNames(): readonly string[] {
    return this.#context.scope.names();
  }

  getVariable(name: string): unknown {
    return readVariable(this.#context, name);
  }

  setVariable(name: string, value: unknown): void {
    writeVariable(this.#context, name, value);
  }

  /** Keeps an object for -OutVariable and -PipelineVariable. */
  wrote(value: unknown): void {
    const pipelineVariable = this.#common.get('PipelineVariable');
    if (pipelineVariable !== undefined) this.setVariable(toText(pipelineVariable), value);
    if (this.#common.has('OutVariable')) this.#output.push(value);
  }

  /** Sets the variables that the common parameters name. */
  finish(): void {
    this.#store('OutVariable', this.#output);
    this.#store('ErrorVariable', this.#errors);
    this.#store('WarningVariable', this.#warnings);
  }

  #store(parameter: string, values: readonly unknown[]): void {
    const asked = this.#common.get(parameter);
    if (asked === undefined) return;
    const name = toText(asked);
    if (!name.startsWith('+')) return this.setVariable(name, [...values]);
    const before = this.getVariable(name.slice(1));
    const kept: readonly unknown[] = Array.isArray(before) ? before : before === null ? [] : [before];
    this.setVariable(name.slice(1), [...kept, ...values]);
  }

  #action(parameter: string, preference: string): Action {
    const text = toText(this.#common.get(parameter) ?? readVariable(this.#context, preference)).toLowerCase();
    return ['silentlycontinue', 'stop', 'ignore', 'inquire'].includes(text) ? (text as Action) : 'continue';
  }
}
