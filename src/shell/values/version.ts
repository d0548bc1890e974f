import { ShellObject } from './shell-object.ts';

/** A version such as 5.1. */
export class Version extends ShellObject {
  constructor(major: number, minor: number) {
    super('System.Version', [
      ['Major', major],
      ['Minor', minor],
      ['Build', -1],
      ['Revision', -1],
    ]);
  }

  override toString(): string {
    return `${String(this.get('Major'))}.${String(this.get('Minor'))}`;
  }
}
