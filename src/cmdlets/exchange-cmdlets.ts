/** The catalogue of Exchange's cmdlets: names, parameters, where they exist. Data stand in catalogue.json. */
import data from './catalogue.json' with { type: 'json' };

/** What is known of a parameter. */
export interface KnownParameter {
  readonly type: string;
  readonly position?: number;
  readonly mandatory?: boolean;
  readonly pipeline?: boolean;
  readonly aliases?: readonly string[];
  readonly allowed?: readonly string[];
  readonly sets?: readonly string[];
  readonly reserved?: boolean;
  readonly cloudOnly?: boolean;
  readonly notOnEdge?: boolean;
  readonly edgeOnly?: boolean;
  readonly legacyOnly?: boolean;
}

/** What is known of a cmdlet. */
export interface KnownCmdlet {
  readonly availability: string;
  /** In a few words; '' when nothing is known. */
  readonly purpose: string;
  readonly disabledOnSubscribedEdge?: boolean;
  readonly sets?: readonly string[];
  /** Which of Confirm, WhatIf and DomainController it takes. */
  readonly common: readonly string[];
  readonly parameters: Readonly<Record<string, KnownParameter>>;
}

/** Every cmdlet by name, in the order of the documentation. */
export const exchangeCmdlets = data as Readonly<Record<string, KnownCmdlet>>;

/** What is known of a cmdlet that is in the catalogue. */
export function knownCmdlet(name: string): KnownCmdlet {
  const found = exchangeCmdlets[name];
  if (found === undefined) throw new RangeError(`the catalogue has no cmdlet ${name}`);
  return found;
}

/** Whether Exchange closes a cmdlet on a subscribed edge, because EdgeSync replicates what it would change. */
export function isClosedOnSubscribedEdge(name: string): boolean {
  return exchangeCmdlets[name]?.disabledOnSubscribedEdge === true;
}
