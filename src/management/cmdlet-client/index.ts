/** The door of who runs cmdlets from another process: it loads the cmdlets' descriptions, which other callers do without. */
export { identitiesOf } from './identities.ts';
export { type CallerNow, RemoteCmdletRunner } from './remote-cmdlet-runner.ts';
