/** The door of who asks what cmdlets there are: it loads neither the language nor a cmdlet, so that the question is put at once. */
export { describedCmdlets } from './described-cmdlets.ts';
