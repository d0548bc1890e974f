import type { Command, ExpressionStage, Pipeline } from '../../language/ast.ts';
import { plainDashes } from '../../language/characters.ts';
import { ScriptBlock } from '../../values/script-block.ts';
import { ShellError } from '../../values/shell-error.ts';
import { toText } from '../../values/text.ts';
import { commandNotFound } from '../state/command-not-found.ts';
import { type Context, Failure, located } from '../state/context.ts';
import type { ShellCmdlet } from '../state/contract.ts';
import { enumerate, evaluate, gather } from '../state/engine.ts';
import { type Binding, bindCommand, bindItem, missingError, missingParameters } from './binding.ts';
import { Host } from './host.ts';
import { callBlock } from './invoke-block.ts';
import { Redirected } from './redirections.ts';

type Input = AsyncIterable<unknown> | undefined;
type Prepared = (input: Input) => AsyncIterable<unknown>;

/** Runs a pipeline. All its commands are found and bound before the first of them runs. */
export async function* runPipeline(pipeline: Pipeline, context: Context): AsyncGenerator<unknown> {
  const prepared: Prepared[] = [];
  for (const [i, stage] of pipeline.stages.entries()) {
    const side = new Redirected(stage.redirections, { ...context, pipeline });
    const run =
      stage.kind === 'command'
        ? await prepareCommand(stage, side.context, i > 0)
        : prepareExpression(stage, side.context);
    prepared.push(stage.redirections.length === 0 ? run : (input) => side.around(run(input)));
  }
  let stream: Input;
  for (const run of prepared) stream = run(stream);
  if (stream !== undefined) yield* stream;
}

function prepareExpression({ expression }: ExpressionStage, context: Context): Prepared {
  return async function* () {
    const value = await evaluate(expression, context);
    if (expression.kind === 'increment') return;
    if (value === null) yield null;
    else
      for (const item of enumerate(value)) {
        // What takes the items may take millions of them before it gives anything away.
        context.budget.step();
        if (context.budget.due) await context.budget.pause();
        yield item;
      }
  };
}

async function prepareCommand(command: Command, context: Context, fed: boolean): Promise<Prepared> {
  const name = await evaluate(command.name, context);
  if (name instanceof ScriptBlock) return prepareBlock(name, command, context);
  const cmdlet = findCommand(toText(name), command, context);
  const binding = await bindCommand(cmdlet, command, context);
  const own = await askForMissing(cmdlet, binding, { command, context, fed });
  // Objects of the pipeline are bound as they come, without a pause.
  if (fed) for (const { fromPipeline, ready } of cmdlet.parameters) if (fromPipeline !== undefined) await ready?.();
  return (input) => runCommand(cmdlet, { ...binding, own }, { command, context, input });
}

function findCommand(name: string, command: Command, context: Context): ShellCmdlet {
  const cmdlet = context.session.findCmdlet(plainDashes(name));
  if (cmdlet !== undefined) return cmdlet;
  const error = commandNotFound(name, context.session.commandNames());
  throw located(context, error, command.name.extent);
}

/** `& { … } arguments`. */
async function prepareBlock(block: ScriptBlock, command: Command, context: Context): Promise<Prepared> {
  const args: unknown[] = [];
  for (const element of command.elements) {
    if (element.kind !== 'argument') {
      const error = new ShellError('Parameters of script blocks are outside the language of this shell.', {
        id: 'NotSupportedInThisShell',
        category: 'NotImplemented',
      });
      throw located(context, error, element.extent);
    }
    args.push(await evaluate(element.value, context));
  }
  return async function* (input) {
    const items = input === undefined ? {} : { input: await gather(input) };
    yield* callBlock(context, block, { args, ...items });
  };
}

interface Place {
  readonly command: Command;
  readonly context: Context;
}

/** Asks the person for mandatory parameters; without one, they are an error. */
async function askForMissing(
  cmdlet: ShellCmdlet,
  { own }: Binding,
  { command, context, fed }: Place & { fed: boolean },
): Promise<ReadonlyMap<string, unknown>> {
  try {
    const missing = missingParameters(cmdlet, own).filter(({ fromPipeline }) => !fed || fromPipeline === undefined);
    if (missing.length === 0) return own;
    const { ask } = context.streams;
    if (ask === undefined) throw missingError(missing);
    const bound = new Map(own);
    for (const { name } of missing) {
      const caption = `cmdlet ${cmdlet.name}: supply a value for the following parameter`;
      bound.set(name, await ask({ caption, message: name, choices: [], defaultChoice: 0 }));
    }
    return bound;
  } catch (error) {
    throw located(context, error, command.extent, cmdlet);
  }
}

async function* runCommand(
  cmdlet: ShellCmdlet,
  binding: Binding,
  { command, context, input }: Place & { input: Input },
): AsyncGenerator<unknown> {
  const host = new Host(context, cmdlet, binding, command.extent);
  try {
    const bind = (item: unknown): ReadonlyMap<string, unknown> => bindItem(cmdlet, binding.own, item);
    for await (const value of cmdlet.run({ bound: binding.own, input, host, bind })) {
      context.budget.step();
      if (context.budget.due) await context.budget.pause();
      host.wrote(value);
      yield value;
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    const failure = located(context, error, command.extent, cmdlet);
    if (failure.stopsScript) throw failure;
    host.record(failure.record);
  } finally {
    host.finish();
  }
}
