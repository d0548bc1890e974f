/** The door of who has cmdlets run in another process. It loads none. */
export { identitiesOf } from './identities.ts';
export { type CallerNow, RemoteCmdletRunner } from './remote-cmdlet-runner.ts';
