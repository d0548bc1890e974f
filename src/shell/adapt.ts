import {
  type AuditEntry,
  type Cmdlet,
  type CmdletContext,
  CmdletError,
  type CmdletGround,
  CmdletObject,
  type Parameter,
} from '../cmdlets/index.ts';
import { Auditing } from './auditing.ts';
import type { CmdletCall, CommandHost, ParameterFacts, ShellCmdlet } from './interpreter/contract.ts';
import { ScriptBlock } from './values/script-block.ts';
import { ShellError } from './values/shell-error.ts';
import { ShellObject } from './values/shell-object.ts';

/** What the product's cmdlets are given by the process that they run in. The shell adds what belongs to one line. */
export interface CmdletEnvironment extends CmdletGround {
  /** Writes to the admin audit log. Throws Error when it cannot. */
  audited(entry: AuditEntry): void;
}

/** A cmdlet of the product as the shell runs it. `environment` is asked at each run: the service comes and goes. */
export function adaptCmdlet(cmdlet: Cmdlet, environment: () => CmdletEnvironment): ShellCmdlet {
  return {
    name: cmdlet.name,
    synopsis: cmdlet.synopsis,
    parameters: cmdlet.parameters.map(adaptParameter),
    shouldProcess: cmdlet.supportsShouldProcess,
    examples: cmdlet.examples.map(({ line, says }) => ({ line, text: says })),
    run: (call) => runCmdlet(cmdlet, call, environment),
  };
}

/** A parameter of the product's cmdlets as the binder sees it. */
export function adaptParameter(parameter: Parameter): ParameterFacts {
  const { name, type, position, check } = parameter;
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
    ...(parameter.isSwitch === true ? {} : { parse: (value: unknown) => checked(value, check) }),
  };
}

/** The cmdlet reads values itself; here they are only looked at. */
function checked(given: unknown, check: Parameter['check']): unknown {
  // A filter may stand in braces: it is text all the same.
  const value = given instanceof ScriptBlock ? given.toString().trim() : given;
  const wrong = check?.(value);
  if (wrong !== undefined) throw new RangeError(wrong);
  return value;
}

async function* runCmdlet(
  cmdlet: Cmdlet,
  call: CmdletCall,
  environment: () => CmdletEnvironment,
): AsyncGenerator<unknown> {
  refuseUnbuilt(cmdlet, call.bound);
  const run = { cmdlet, host: call.host, environment: environment() };
  if (call.input === undefined) {
    yield* results(run, call.bound);
    return;
  }
  for await (const item of call.input) {
    try {
      yield* results(run, call.bind(item));
    } catch (error) {
      // One object that fails does not keep the others from being worked on.
      if (!(error instanceof ShellError)) throw error;
      call.host.error(error);
    }
  }
}

function refuseUnbuilt(cmdlet: Cmdlet, bound: ReadonlyMap<string, unknown>): void {
  const parameter = cmdlet.parameters.find(
    ({ name, notImplementedYet }) => notImplementedYet === true && bound.has(name),
  );
  if (cmdlet.notImplementedYet !== true && parameter === undefined) return;
  const what = parameter === undefined ? cmdlet.name : `The parameter -${parameter.name} of ${cmdlet.name}`;
  throw new ShellError(`${what} is not implemented yet. Nothing was changed.`, {
    id: 'NotImplementedYet',
    category: 'NotImplemented',
    exception: 'NotImplementedException',
    target: parameter?.name ?? cmdlet.name,
  });
}

/** One command of a line. */
interface Run {
  readonly cmdlet: Cmdlet;
  readonly host: CommandHost;
  readonly environment: CmdletEnvironment;
}

function contextFor({ host, environment }: Run, auditing: Auditing): CmdletContext {
  return {
    store: environment.store,
    role: environment.role,
    serverName: environment.serverName,
    transport: environment.transport,
    auditTrail: environment.auditTrail,
    trackingLog: environment.trackingLog,
    changed: (change) => auditing.changed(change),
    warning: (text) => host.warning(text),
    verbose: (text) => host.verbose(text),
    shouldProcess: ({ action, target, impact }) => host.shouldProcess(`${action} "${target}".`, impact === 'High'),
    signal: host.signal,
  };
}

async function* results(run: Run, bound: ReadonlyMap<string, unknown>): AsyncGenerator<unknown> {
  const { cmdlet, host, environment } = run;
  const auditing = new Auditing(cmdlet, bound, { host, write: (entry) => environment.audited(entry) });
  try {
    for await (const object of cmdlet.run(contextFor(run, auditing), bound)) yield fromCmdlet(object);
  } catch (error) {
    auditing.failed(error);
    throw error instanceof CmdletError ? shellError(error) : error;
  }
}

/** An object of a cmdlet as one that lines may change: `$c.RemoteIPRanges += '…'`. */
function fromCmdlet(object: unknown): unknown {
  if (!(object instanceof CmdletObject)) return object;
  const own = (value: unknown): unknown => (Array.isArray(value) ? value.map(own) : fromCmdlet(value));
  return new ShellObject(
    object.typeName,
    object.entries().map(([name, value]) => [name, own(value)] as const),
  );
}

function shellError({ id, category, message, target, cause }: CmdletError): ShellError {
  return new ShellError(message, {
    id,
    category,
    ...(target === '' ? {} : { target }),
    ...(id.endsWith('Exception') ? { exception: id } : {}),
    ...(cause === undefined ? {} : { cause }),
  });
}
