/** Something could not be tested; the message is the reason that the report gives. */
export class Untested extends Error {
  /** Worth another try after a pause: 421, silence, a reset. */
  readonly passing: boolean;

  constructor(reason: string, passing = true) {
    super(reason);
    this.name = 'Untested';
    this.passing = passing;
  }
}

/** Not even a connection comes about: whatever else is asked, the answer is the same. */
export class Unreachable extends Untested {}

/** The question makes no sense for this endpoint; the message says why. */
export class Unapplicable extends Untested {
  constructor(reason: string) {
    super(reason, false);
    this.name = 'Unapplicable';
  }
}

/** Why a reduced set of probes leaves something untested. */
export const reducedReason = 'a reduced set of probes';
