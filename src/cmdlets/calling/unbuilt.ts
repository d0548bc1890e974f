import { type BoundParameters, type CmdletDescription, CmdletError } from '../runtime.ts';

/** Throws CmdletError for a cmdlet or a parameter that is known by name only. */
export function refuseUnbuilt(cmdlet: CmdletDescription, bound: BoundParameters): void {
  const parameter = cmdlet.parameters.find(
    ({ name, notImplementedYet }) => notImplementedYet === true && bound.has(name),
  );
  if (cmdlet.notImplementedYet !== true && parameter === undefined) return;
  const what = parameter === undefined ? cmdlet.name : `The parameter -${parameter.name} of ${cmdlet.name}`;
  const isNot = parameter?.onlyIn === undefined ? 'is not implemented yet' : `is of ${parameter.onlyIn} alone`;
  throw new CmdletError('NotImplementedYet', 'NotImplemented', `${what} ${isNot}. Nothing was changed.`, {
    target: parameter?.name ?? cmdlet.name,
  });
}
