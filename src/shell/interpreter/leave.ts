/** Thrown by break, continue, return and exit; whoever runs the loop, the block or the script takes it. */
export class Leave extends Error {
  override readonly name = 'Leave';
  readonly how: 'break' | 'continue' | 'return' | 'exit';
  /** Status that `exit` names. */
  readonly status: number;

  constructor(how: Leave['how'], status = 0) {
    super(`'${how}' outside of what it leaves`);
    this.how = how;
    this.status = status;
  }
}
