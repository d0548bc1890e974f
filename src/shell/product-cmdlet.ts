/** The product's cmdlets as commands of the language. They run wherever the runner has them run. */

import { parseDate } from '../base/index.ts';
import {
  type CmdletDescription,
  CmdletError,
  CmdletObject,
  type CmdletRunner,
  type Parameter,
  refuseUnbuilt,
  savedContent,
  UtcTime,
} from '../cmdlets/calling/index.ts';
import type { FileAccess } from './interpreter/state/context.ts';
import type { CmdletCall, ParameterDescription, ShellCmdlet } from './interpreter/state/contract.ts';
import { UtcDate } from './values/date-kind.ts';
import { fileError } from './values/file-error.ts';
import { ScriptBlock } from './values/script-block.ts';
import { ShellError } from './values/shell-error.ts';
import { ShellObject } from './values/shell-object.ts';

/** A cmdlet of the product as the shell calls it. */
export function productCmdlet(cmdlet: CmdletDescription, runner: CmdletRunner, files?: FileAccess): ShellCmdlet {
  return {
    name: cmdlet.name,
    synopsis: cmdlet.synopsis,
    parameters: cmdlet.parameters.map(productParameter),
    shouldProcess: cmdlet.supportsShouldProcess,
    examples: cmdlet.examples.map(({ line, says }) => ({ line, text: says })),
    run: (call) => runEach(cmdlet, call, { runner, files }),
  };
}

/** A parameter of the product's cmdlets as the binder sees it. */
function productParameter(parameter: Parameter): ParameterDescription {
  const { name, type, position, check, ready } = parameter;
  return {
    name,
    type: parameter.isSwitch === true ? 'SwitchParameter' : type,
    ...(parameter.aliases === undefined ? {} : { aliases: parameter.aliases }),
    ...(position === undefined ? {} : { position: position - 1 }),
    ...(parameter.mandatory === undefined ? {} : { mandatory: parameter.mandatory }),
    ...(parameter.pipeline === true ? { fromPipeline: 'both' as const } : {}),
    ...(parameter.parameterSets === undefined ? {} : { sets: parameter.parameterSets }),
    ...(parameter.allowed === undefined ? {} : { allowed: parameter.allowed }),
    ...(parameter.help === undefined ? {} : { help: parameter.help }),
    ...(parameter.identityOf === undefined ? {} : { identityOf: parameter.identityOf }),
    ...(ready === undefined ? {} : { ready }),
    ...(parameter.isSwitch === true
      ? {}
      : { parse: (value: unknown) => checked(isDate.test(type) ? asDate(value) : value, check) }),
  };
}

const isDate = /^(?:Ex)?DateTime$/;

/** A date is one of the caller's zone, which may be another one than the service's. */
function asDate(value: unknown): unknown {
  return typeof value === 'string' ? (parseDate(value) ?? value) : value;
}

/** The cmdlet reads values itself; here they are only looked at. */
function checked(given: unknown, check: Parameter['check']): unknown {
  // A filter may stand in braces: it is text all the same.
  const value = given instanceof ScriptBlock ? given.toString().trim() : given;
  const wrong = check?.(value);
  if (wrong !== undefined) throw new RangeError(wrong);
  return value;
}

/** Where a cmdlet runs, and the files of who called it. */
interface RunPlace {
  readonly runner: CmdletRunner;
  readonly files: FileAccess | undefined;
}

/** Once for the line, or once for each object of the pipeline. */
async function* runEach(cmdlet: CmdletDescription, call: CmdletCall, place: RunPlace): AsyncGenerator<unknown> {
  try {
    refuseUnbuilt(cmdlet, call.bound);
  } catch (error) {
    throw asShellError(error);
  }
  if (call.input === undefined) {
    yield* results(cmdlet, call, { ...place, parameters: call.bound });
    return;
  }
  for await (const item of call.input) {
    try {
      yield* results(cmdlet, call, { ...place, parameters: call.bind(item) });
    } catch (error) {
      // One object that fails does not keep the others from being worked on.
      if (!(error instanceof ShellError)) throw error;
      call.host.error(error);
    }
  }
}

async function* results(
  { name }: CmdletDescription,
  { host }: CmdletCall,
  { runner, files, parameters }: RunPlace & { readonly parameters: ReadonlyMap<string, unknown> },
): AsyncGenerator<unknown> {
  const saves = savedContent(name);
  try {
    for await (const object of runner.run({ cmdlet: name, parameters, line: host.line }, host)) {
      const path = saves === undefined ? undefined : parameters.get(saves.parameter);
      const content = saves === undefined ? undefined : object.get(saves.property);
      if (files === undefined || typeof path !== 'string' || typeof content !== 'string') yield fromCmdlet(object);
      else await save(files, path, Buffer.from(content, 'base64'));
    }
  } catch (error) {
    throw asShellError(error);
  }
}

/** Which file it is, the line has said; it may hold secrets. */
async function save(files: FileAccess, path: string, content: Uint8Array): Promise<void> {
  try {
    await files.write(path, content, false, { ownerOnly: true });
  } catch (cause) {
    throw fileError(path, cause, 'WriteError');
  }
}

/** An object of a cmdlet as one that lines may change: `$c.RemoteIPRanges += '…'`. */
function fromCmdlet(object: unknown): unknown {
  if (object instanceof UtcTime) return new UtcDate(object.getTime());
  if (!(object instanceof CmdletObject)) return object;
  // Plain text, as New-ExchangeCertificate -GenerateRequest gives it.
  if (object.typeName === 'System.String') return object.get('Value');
  const own = (value: unknown): unknown => (Array.isArray(value) ? value.map(own) : fromCmdlet(value));
  return new ShellObject(
    object.typeName,
    object.entries().map(([name, value]) => [name, own(value)] as const),
  );
}

function asShellError(error: unknown): unknown {
  if (!(error instanceof CmdletError)) return error;
  const { id, category, message, target, cause } = error;
  const exception = id.endsWith('Exception')
    ? id
    : category === 'NotImplemented'
      ? 'NotImplementedException'
      : undefined;
  return new ShellError(message, {
    id,
    category,
    ...(target === '' ? {} : { target }),
    ...(exception === undefined ? {} : { exception }),
    ...(cause === undefined ? {} : { cause }),
  });
}
