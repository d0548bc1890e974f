/** Thrown by break, continue, return and exit; whoever runs the loop, the block or the script takes it. */
export class Leave extends Error {
  override readonly name = 'Leave';
  readonly how: 'break' | 'continue' | 'return' | 'exit';
  /** Status that `exit` names. */
  readonly status: number;
  /** The loop that break and continue are for; undefined: the innermost one. */
  readonly label: string | undefined;

  constructor(how: Leave['how'], status = 0, label?: string) {
    super(`'${how}' outside of what it leaves`);
    this.how = how;
    this.status = status;
    this.label = label;
  }

  /** Whether a loop or switch with this label, if it has one, is what is left or gone on with. */
  isFor(how: 'break' | 'continue', { label }: { readonly label?: string }): boolean {
    return this.how === how && (this.label === undefined || this.label === label);
  }
}
