/** Parameters of a call by name, as the cmdlet's table has them. */
import { nearestNameHint } from '../../base/index.ts';
import { type BoundParameters, type Cmdlet, CmdletError, type Parameter } from '../runtime.ts';

/**
 * The same values by the table's names: names are found without regard to case and by alias, values are checked, and
 * what must be there is. Throws CmdletError.
 */
export function boundByName(cmdlet: Cmdlet, parameters: BoundParameters): BoundParameters {
  const bound = new Map<string, unknown>();
  for (const [name, value] of parameters) {
    const parameter = parameterNamed(cmdlet, name);
    if (bound.has(parameter.name)) throw refused(cmdlet, 'ParameterAlreadyBound', name, 'It is given twice.');
    const wrong = parameter.isSwitch === true ? undefined : parameter.check?.(value);
    if (wrong !== undefined) throw refused(cmdlet, 'ParameterArgumentTransformationError', parameter.name, wrong);
    bound.set(parameter.name, value);
  }
  const missing = cmdlet.parameters.find(
    (one) => one.mandatory === true && one.parameterSets === undefined && !bound.has(one.name),
  );
  if (missing !== undefined) throw refused(cmdlet, 'MissingMandatoryParameter', missing.name, 'It is mandatory.');
  return bound;
}

function parameterNamed({ name: cmdlet, parameters }: Cmdlet, given: string): Parameter {
  const wanted = given.toLowerCase();
  const found =
    parameters.find(({ name }) => name.toLowerCase() === wanted) ??
    parameters.find(({ aliases = [] }) => aliases.some((alias) => alias.toLowerCase() === wanted));
  if (found !== undefined) return found;
  const names = parameters.map(({ name }) => name);
  const text = `A parameter cannot be found that matches parameter name '${given}' of ${cmdlet}.`;
  throw new CmdletError('NamedParameterNotFound', 'InvalidArgument', text + nearestNameHint(given, names), {
    target: given,
  });
}

function refused({ name }: Cmdlet, id: string, parameter: string, reason: string): CmdletError {
  const text = `The parameter '${parameter}' of ${name} cannot be bound. ${reason}`;
  return new CmdletError(id, 'InvalidArgument', text, { target: parameter });
}
