import type { CmdletDescription, ParameterDescription } from './contract.ts';

/** What errors and warnings may do. Inquire is left out: nobody is asked in the middle of a cmdlet. */
const actions = ['SilentlyContinue', 'Stop', 'Continue', 'Ignore'];

/** The same by their numbers: `-ea 0`. */
export const actionNumbers: ReadonlyMap<string, string> = new Map([
  ['0', 'SilentlyContinue'],
  ['1', 'Stop'],
  ['2', 'Continue'],
  ['4', 'Ignore'],
]);

/** Parameters that every cmdlet takes (about_CommonParameters). */
const common: readonly ParameterDescription[] = [
  { name: 'Verbose', type: 'SwitchParameter', aliases: ['vb'], help: 'Shows what is done in detail.' },
  { name: 'Debug', type: 'SwitchParameter', aliases: ['db'], help: 'Taken for compatibility; shows nothing more.' },
  { name: 'ErrorAction', type: 'ActionPreference', aliases: ['ea'], allowed: actions, help: 'What an error does.' },
  { name: 'WarningAction', type: 'ActionPreference', aliases: ['wa'], allowed: actions, help: 'What a warning does.' },
  {
    name: 'InformationAction',
    type: 'ActionPreference',
    aliases: ['infa'],
    allowed: actions,
    help: 'Taken for compatibility.',
  },
  {
    name: 'ErrorVariable',
    type: 'String',
    aliases: ['ev'],
    help: 'Variable that takes the errors; with + before its name they are added.',
  },
  { name: 'WarningVariable', type: 'String', aliases: ['wv'], help: 'Variable that takes the warnings.' },
  { name: 'OutVariable', type: 'String', aliases: ['ov'], help: 'Variable that takes the objects written.' },
  { name: 'OutBuffer', type: 'Int32', aliases: ['ob'], help: 'Taken for compatibility.' },
  { name: 'PipelineVariable', type: 'String', aliases: ['pv'], help: 'Variable that holds the object last written.' },
];

/** Those of cmdlets that change something. */
const ofChanges: readonly ParameterDescription[] = [
  { name: 'WhatIf', type: 'SwitchParameter', aliases: ['wi'], help: 'Says what would be done, and does nothing.' },
  { name: 'Confirm', type: 'SwitchParameter', aliases: ['cf'], help: 'Asks first; -Confirm:$false never asks.' },
];

const names: ReadonlySet<string> = new Set([...common, ...ofChanges].map(({ name }) => name.toLowerCase()));

/** True for the name of a common parameter. */
export function isCommon(name: string): boolean {
  return names.has(name.toLowerCase());
}

/** A cmdlet's own parameters and the common ones that it takes. */
export function allParameters(cmdlet: CmdletDescription): readonly ParameterDescription[] {
  const own = cmdlet.parameters.filter(({ name }) => !isCommon(name));
  return [...own, ...common, ...(cmdlet.shouldProcess === true ? ofChanges : [])];
}
