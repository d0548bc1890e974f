/** A list that grows: [System.Collections.ArrayList] and the generic lists. `+=` and the pipeline see an array. */
export class ShellList extends Array<unknown> {
  /** What is made of its items is an array. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}
