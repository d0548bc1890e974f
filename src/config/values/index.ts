/** The door of the values that cmdlets give back and Exchange prints: for callers that know no property tables. */
export { Quantity } from './quantity.ts';
export { StructuredValue } from './structured-value.ts';
