import type {
  CmdletCall,
  CmdletDescription,
  ParameterDescription,
  ShellCmdlet,
} from '../interpreter/state/contract.ts';
import { enumerate } from '../interpreter/state/engine.ts';

type ParameterTable = Readonly<Record<string, Omit<ParameterDescription, 'name'>>>;

interface Description extends Omit<CmdletDescription, 'parameters' | 'implementation'> {
  readonly parameters: ParameterTable;
}

/** The parameter that the pipeline's objects are bound to. */
const inputObject: ParameterDescription = {
  name: 'InputObject',
  type: 'PSObject',
  fromPipeline: 'value',
  help: 'The objects; usually they come through the pipeline.',
};

/** Makes a cmdlet that works on any object. -InputObject is added to its parameters. */
export function builtIn(description: Description, run: ShellCmdlet['run']): ShellCmdlet {
  const parameters = Object.entries(description.parameters).map(([name, rest]) => ({ name, ...rest }));
  const implementation = `Microsoft.PowerShell.Commands.${description.name.replace('-', '')}Command`;
  return { ...description, parameters: [...parameters, inputObject], implementation, run };
}

/** The objects that a cmdlet works on: the pipeline's, or those of -InputObject. */
export async function* inputOf({ input, bound }: CmdletCall): AsyncGenerator<unknown> {
  if (input !== undefined) yield* input;
  else if (bound.has('InputObject')) yield* enumerate(bound.get('InputObject'));
}

/** A bound value as a number; undefined when the parameter was not given. */
export function numberParameter({ bound }: CmdletCall, name: string): number | undefined {
  const value = bound.get(name);
  return typeof value === 'number' ? value : undefined;
}

/** A bound value as text; undefined when the parameter was not given. */
export function textParameter({ bound }: CmdletCall, name: string): string | undefined {
  const value = bound.get(name);
  return typeof value === 'string' ? value : undefined;
}

/** A bound value as a list; empty when the parameter was not given. */
export function listParameter({ bound }: CmdletCall, name: string): readonly unknown[] {
  return enumerate(bound.get(name));
}

/** True for a switch that was given. */
export function switchParameter({ bound }: CmdletCall, name: string): boolean {
  return bound.get(name) === true;
}
